package org.springframework.security.core.context;

/** Of Spring's class of this name what its serialised form shows. */
public class SecurityContextImpl implements java.io.Serializable {
    private static final long serialVersionUID = 570L;
    private Object authentication;

    public SecurityContextImpl(Object authentication) { this.authentication = authentication; }
}
