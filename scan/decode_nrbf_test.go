package scan

import (
	"encoding/base64"
	"encoding/binary"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/valkeyfs/valkeyfs/keyspace"
)

// dotnetObjects are what the file says was written by the real formatter.
func dotnetObjects(t testing.TB) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/dotnet.txt")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "#" {
			continue
		}
		b, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(b)
	}
	return out
}

func TestBinaryFormatter(t *testing.T) {
	objects := dotnetObjects(t)
	for _, c := range []struct {
		object, field, chain string
	}{
		{"object", "data", "binaryformatter:$.password"},
		{"dictionary", "data", "binaryformatter:$[1].value"},
		{"hashtable", "data", "binaryformatter:$.password"},
		{"array", "data", "binaryformatter:$.password"},
		{"list", "data", "binaryformatter:$.password"},
		{"string", "db_password", "binaryformatter:$"},
	} {
		for _, wrap := range []func(string) string{
			func(v string) string { return v },
			func(v string) string { return base64.StdEncoding.EncodeToString([]byte(v)) },
		} {
			found, stats := scanAll(t, newTestScanner(t), hashKey("app:1", c.field, wrap(objects[c.object])))
			i := slices.IndexFunc(found, func(f *Finding) bool {
				return f.Secret == "Vq7xk#29ab" && f.Rule == "generic-password" && strings.HasSuffix(strings.Join(f.Chain, ">"), c.chain)
			})
			if i < 0 || stats.Failures["binaryformatter"] > 0 {
				t.Errorf("%s: found %s, failures %v", c.object, brief(found), stats.Failures)
			}
		}
	}
	// A formatter's output that breaks off is a failure, and what came before is found.
	cut := objects["object"][:len(objects["object"])-20]
	found, stats := scanAll(t, newTestScanner(t), hashKey("app:1", "data", cut))
	if len(found) == 0 || stats.Failures["binaryformatter"] != 1 {
		t.Errorf("cut short: found %s, failures %v", brief(found), stats.Failures)
	}
	for _, value := range []string{"\x00\x01\x00\x00\x00\xff\xff\xff\xff\x02\x00\x00\x00\x00\x00\x00\x00\x0b", strings.Repeat("\x00", 64)} {
		if _, stats := scanAll(t, newTestScanner(t), hashKey("app:1", "data", value)); len(stats.Failures) > 0 {
			t.Errorf("%q: failures %v", value, stats.Failures)
		}
	}
}

// sessionState makes what SessionStateItemCollection.Serialize does of strings.
func sessionState(pairs ...string) string {
	var names, ends, values []byte
	put := func(b []byte, s string) []byte { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	for i := 0; i < len(pairs); i += 2 {
		names = put(names, pairs[i])
		if strings.HasPrefix(pairs[i+1], "\x00\x01") {
			values = append(append(values, aspnetObject), pairs[i+1]...)
		} else {
			values = put(append(values, aspnetString), pairs[i+1])
		}
		ends = binary.LittleEndian.AppendUint32(ends, uint32(len(values)))
	}
	out := binary.LittleEndian.AppendUint32(nil, uint32(len(pairs)/2))
	out = binary.LittleEndian.AppendUint32(out, 0xffffffff)
	return string(slices.Concat(out, names, ends, values))
}

func TestASPNetState(t *testing.T) {
	objects := dotnetObjects(t)
	state := sessionState("UserId", "4711", "Cart", objects["object"], "db_password", "Hk8!wq3zz")
	wrapped := "\x14\x00\x00\x00\x01\x00" + state + "\xff"
	for name, value := range map[string]string{"plain": state, "wrapped": wrapped, "in base64": base64.StdEncoding.EncodeToString([]byte(state))} {
		found, _ := scanAll(t, newTestScanner(t), hashKey("app:1", "data", value))
		for _, secret := range []string{"Vq7xk#29ab", "Hk8!wq3zz"} {
			if !slices.ContainsFunc(found, func(f *Finding) bool { return f.Secret == secret }) {
				t.Errorf("%s: found %s", name, brief(found))
			}
		}
	}
	sid := random("aspnet", 24, lowerAlphabet)
	for name, events := range map[string][]keyspace.Event{
		"items":      hashKey("{/shop_"+sid+"}_Data", "UserId", objects["string"], "user", objects["object"]),
		"collection": hashKey("{/shop_"+sid+"}_SessionStateItemCollection", "SessionState", state),
	} {
		found, _ := scanAll(t, newTestScanner(t), events)
		i := slices.IndexFunc(found, func(f *Finding) bool { return f.Framework == "aspnet" })
		if i < 0 || found[i].Secret != sid || found[i].Identity["user_id"] == "" {
			t.Errorf("%s: found %s", name, brief(found))
		}
	}
	for name, events := range map[string][]keyspace.Event{
		"text":      hashKey("{/shop_"+sid+"}_Data", "UserId", "4711"),
		"other":     hashKey("{shop}_Datum", "UserId", objects["string"]),
		"no braces": hashKey("shop_"+sid+"_Data", "UserId", objects["string"]),
	} {
		found, _ := scanAll(t, newTestScanner(t), events)
		if slices.ContainsFunc(found, func(f *Finding) bool { return f.Framework == "aspnet" }) {
			t.Errorf("%s: a session", name)
		}
	}
}
