package org.springframework.security.authentication;

import java.util.ArrayList;
import java.util.Collection;

/** Of Spring's class of this name what its serialised form shows. */
public class UsernamePasswordAuthenticationToken implements java.io.Serializable {
    private static final long serialVersionUID = 570L;
    private final Collection<?> authorities;
    private boolean authenticated = true;
    private Object details;
    private final Object principal;
    private Object credentials;

    public UsernamePasswordAuthenticationToken(Object principal, Collection<?> authorities) {
        this.principal = principal;
        this.authorities = new ArrayList<>(authorities);
    }
}
