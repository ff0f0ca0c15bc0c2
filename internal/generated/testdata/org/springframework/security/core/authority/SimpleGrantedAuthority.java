package org.springframework.security.core.authority;

/** Of Spring's class of this name what its serialised form shows. */
public final class SimpleGrantedAuthority implements java.io.Serializable {
    private static final long serialVersionUID = 570L;
    private final String role;

    public SimpleGrantedAuthority(String role) { this.role = role; }
}
