package generated

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/valkeyfs/valkeyfs/internal/fixtures"
)

// noise is a member that holds no secret, as applications' records are full of.
func (m maker) noise() (name string, value any) {
	switch m.IntN(22) {
	case 0:
		return "id", m.IntN(1e6)
	case 1:
		return "uuid", m.UUID()
	case 2:
		return "created_at", m.time().Format(time.RFC3339)
	case 3:
		return "updated", m.time().UnixMilli()
	case 4:
		return "etag", m.Hex(32)
	case 5:
		return "checksum", m.Hex(64)
	case 6:
		return "status", m.pick("active", "pending", "archived", "token_expired", "password_reset_required")
	case 7:
		return "enabled", m.IntN(2) == 0
	case 8:
		return "url", "https://" + m.word() + ".example.org/" + m.word() + "/" + m.Hex(8)
	case 9:
		return "tags", []any{m.word(), m.word(), m.slug()}
	case 10:
		return "description", m.prose(12)
	case 11:
		return "slug", m.slug()
	case 12:
		return "cache_key", m.word() + ":" + m.Hex(40)
	case 13:
		return "name", title(m.word()) + " " + title(m.word())
	case 14:
		return "ulid", m.ulid()
	case 15:
		return "version", fmt.Sprintf("%d.%d.%d", m.IntN(9), m.IntN(30), m.IntN(100))
	case 16:
		return "token_type", "Bearer"
	case 17:
		return "password_changed_at", m.time().Format(time.RFC3339)
	case 18:
		return "locale", m.pick("en-GB", "de-DE", "fr-FR", "pt-BR")
	case 19:
		return "max_tokens", m.IntN(8192)
	case 20:
		return "user_agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"
	}
	return "commit", m.Hex(40)
}

func (m maker) time() time.Time {
	return time.Unix(1_600_000_000+int64(m.IntN(150_000_000)), 0).UTC()
}

func (m maker) ulid() string {
	return "01" + m.From("ABCDEFGHJKMNPQRSTVWXYZ0123456789", 24)
}

func (m maker) slug() string {
	return m.word() + "-" + m.word() + "-" + m.word() + "-" + m.From(fixtures.Digits, 2)
}

func (m maker) prose(n int) string {
	w := make([]string, n)
	for i := range w {
		w[i] = m.pick(m.word(), "the", "of", "and", "was", "password", "token", "with", "in", "secret", "key", "for")
	}
	return title(strings.Join(w, " ")) + "."
}

// document is a record that holds a secret under a name, at some depth.
func (m maker) document(name, secret string, depth int) map[string]any {
	d := map[string]any{}
	for range 2 + m.IntN(6) {
		k, v := m.noise()
		d[k] = v
	}
	switch {
	case depth == 0:
		d[name] = secret
	case m.IntN(4) == 0:
		d[m.pick("items", "entries", "hosts")] = []any{map[string]any{"n": 1}, m.document(name, secret, depth-1)}
	default:
		d[m.pick("settings", "config", "options", "service", "integration", "meta")] = m.document(name, secret, depth-1)
	}
	return d
}

// decoy is a value without a secret that looks like one, its kind and its name.
// A long number bears a name that says what it is: without one, every fiftieth
// is a card number.
func (m maker) decoy() (kind, name string, value any) {
	kind, value = m.lookalike()
	if name = m.pick(decoyNames...); kind == "id" {
		name = m.pick("order_id", "userId", "primary_key", "last_id", "message_ids", "sequence_offset", "request_id")
	}
	return kind, name, value
}

func (m maker) lookalike() (kind string, value any) {
	switch m.IntN(24) {
	case 0:
		return "uuid", m.UUID()
	case 1:
		return "sha256", m.Hex(64)
	case 2:
		return "sha1", m.Hex(40)
	case 3:
		return "md5", m.Hex(32)
	case 4:
		return "id", m.From(fixtures.Digits, 6+m.IntN(13))
	case 5:
		return "lorem", m.prose(20 + m.IntN(40))
	case 6:
		return "image", "data:image/png;base64," + base64.StdEncoding.EncodeToString(append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), m.Bytes(100+m.IntN(400))...))
	case 7:
		return "base64", base64.StdEncoding.EncodeToString(m.Bytes(24 + m.IntN(200)))
	case 8:
		return "slug", m.slug()
	case 9:
		return "time", m.time().Format(time.RFC3339Nano)
	case 10:
		return "test-card", m.pick("4242424242424242", "4111 1111 1111 1111", "5555555555554444", "378282246310005")
	case 11:
		return "ulid", m.ulid()
	case 12:
		return "nanoid", m.From(url64, 21)
	case 13:
		return "etag", `W/"` + m.Hex(32) + `"`
	case 14:
		return "integrity", "sha384-" + base64.StdEncoding.EncodeToString(m.Bytes(48))
	case 15:
		return "binary", string(m.Bytes(16 + m.IntN(300)))
	case 16:
		return "path", "/var/lib/" + m.word() + "/" + m.Hex(12) + "/" + m.word() + ".tar.gz"
	case 17:
		return "url", "https://" + m.word() + ".example.org/" + m.word() + "?page=" + m.From(fixtures.Digits, 2) + "&sort=" + m.word()
	case 18:
		return "placeholder", "password=" + m.pick("changeme", "<password>", "${DB_PASSWORD}", "********", "xxxxxxxx", "your-password-here")
	case 19:
		return "code", "if (user.password === form." + m.word() + ") { return token." + m.word() + "(); }"
	case 20:
		return "float", fmt.Sprint(m.Float64() * 1000)
	case 21:
		return "geo", fmt.Sprintf("%.6f,%.6f", m.Float64()*90, m.Float64()*180)
	case 22:
		return "mongo-id", m.Hex(24)
	}
	return "counter", fmt.Sprint(m.IntN(1e6))
}

// decoyNames are of fields and keys that say nothing of a secret, or only seem to.
var decoyNames = []string{"cache_key", "etag", "request_id", "idempotency_key", "digest", "checksum", "value", "session_count", "primary_key", "sort_key", "key", "token_count",
	"public_key_id", "commit", "image_hash", "trace_id", "partition_key", "fingerprint", "foreign_key", "object_key", "password_policy", "content_hash", "token_type", "last_key"}
