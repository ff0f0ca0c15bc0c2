package org.springframework.security.core.userdetails;

import java.util.Set;

/** Of Spring's class of this name what its serialised form shows. */
public class User implements java.io.Serializable {
    private static final long serialVersionUID = 570L;
    private String password;
    private final String username;
    private final Set<?> authorities;
    private final boolean accountNonExpired = true, accountNonLocked = true, credentialsNonExpired = true, enabled = true;

    public User(String username, Set<?> authorities) {
        this.username = username;
        this.authorities = authorities;
    }
}
