import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.zip.*;

import org.springframework.security.authentication.UsernamePasswordAuthenticationToken;
import org.springframework.security.core.authority.SimpleGrantedAuthority;
import org.springframework.security.core.context.SecurityContextImpl;
import org.springframework.security.core.userdetails.User;

/** Serialises as Java applications do; requests and answers as in clients.py. */
public class Clients {
    /** An object of an application. */
    static class Settings implements Serializable {
        private static final long serialVersionUID = 1L;
        long id = 42;
        Date updated = new Date();
        Map<String, Object> values;
        Settings next;

        Settings(Map<String, Object> values) { this.values = values; }
    }

    /** A configuration whose members have names of their own. */
    static class Account implements Serializable {
        private static final long serialVersionUID = 7L;
        int id = 7;
        String username = "svc";
        String password, apiKey, accessToken, clientSecret, sessionSecret, note;
        boolean enabled = true;
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            Map<?, ?> request = (Map<?, ?>) new Json(line).value();
            Object value = request.get("doc");
            for (Object step : (List<?>) request.get("do")) value = step((String) step, value);
            System.out.println(Base64.getEncoder().encodeToString((byte[]) value));
        }
    }

    @SuppressWarnings("unchecked")
    static Object step(String step, Object v) throws Exception {
        Map<String, Object> doc = v instanceof Map ? (Map<String, Object>) v : null;
        switch (step) {
            case "java": return serialise(new HashMap<>(doc));
            case "java-string": return serialise(doc.get("text"));
            case "java-object": return serialise(new Settings(doc));
            case "java-account": return serialise(account(doc));
            case "spring": return serialise(context(doc));
            case "gzip": {
                ByteArrayOutputStream out = new ByteArrayOutputStream();
                try (OutputStream z = new GZIPOutputStream(out)) { z.write((byte[]) v); }
                return out.toByteArray();
            }
            case "base64": return Base64.getEncoder().encode((byte[]) v);
        }
        throw new IllegalArgumentException(step);
    }

    static byte[] serialise(Object o) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ObjectOutputStream objects = new ObjectOutputStream(out)) { objects.writeObject(o); }
        return out.toByteArray();
    }

    static Account account(Map<String, Object> doc) throws Exception {
        Account a = new Account();
        Account.class.getDeclaredField((String) doc.get("name")).set(a, doc.get("text"));
        return a;
    }

    static Object context(Map<String, Object> doc) {
        Set<SimpleGrantedAuthority> roles = new HashSet<>(List.of(new SimpleGrantedAuthority("ROLE_USER")));
        return new SecurityContextImpl(new UsernamePasswordAuthenticationToken(new User((String) doc.get("email"), roles), roles));
    }

    /** Reads JSON: objects, arrays, strings, integers, true, false and null. */
    static class Json {
        final String s;
        int at;

        Json(String s) { this.s = s; }

        char next() {
            while (s.charAt(at) <= ' ') at++;
            return s.charAt(at);
        }

        Object value() {
            switch (next()) {
                case '{': {
                    Map<String, Object> m = new LinkedHashMap<>();
                    for (at++; next() != '}'; ) {
                        String key = (String) value();
                        next();
                        at++;
                        m.put(key, value());
                        if (next() == ',') at++;
                    }
                    at++;
                    return m;
                }
                case '[': {
                    List<Object> l = new ArrayList<>();
                    for (at++; next() != ']'; ) {
                        l.add(value());
                        if (next() == ',') at++;
                    }
                    at++;
                    return l;
                }
                case '"': return string();
                default: {
                    int from = at;
                    while (at < s.length() && ",]} ".indexOf(s.charAt(at)) < 0) at++;
                    String word = s.substring(from, at);
                    return word.equals("null") ? null : word.equals("true") || word.equals("false") ? (Object) Boolean.valueOf(word) : Long.valueOf(word);
                }
            }
        }

        String string() {
            StringBuilder b = new StringBuilder();
            for (at++; s.charAt(at) != '"'; at++) {
                char c = s.charAt(at);
                if (c == '\\') {
                    c = s.charAt(++at);
                    switch (c) {
                        case 'n': c = '\n'; break;
                        case 't': c = '\t'; break;
                        case 'r': c = '\r'; break;
                        case 'u': c = (char) Integer.parseInt(s.substring(at + 1, at + 5), 16); at += 4; break;
                    }
                }
                b.append(c);
            }
            at++;
            return b.toString();
        }
    }
}
