package scan

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/gob"
	hexadecimal "encoding/hex"
	"strings"
	"testing"
)

// countedFormats write a name and a value in formats that nothing here knows, each
// with the length of a string before it.
var countedFormats = map[string]func(name, value string) string{
	"thrift, compact": func(name, value string) string {
		text := func(s string) string { return string(binary.AppendUvarint(nil, uint64(len(s)))) + s }
		return "\x15\x0e\x1b\x01\x88" + text(name) + text(value) + "\x15\x04\x00"
	},
	"thrift, binary": func(name, value string) string {
		return "\x0d\x00\x02\x0b\x0b\x00\x00\x00\x01" + be32(len(name)) + name + be32(len(value)) + value + "\x00"
	},
	"avro": func(name, value string) string {
		text := func(s string) string { return string(binary.AppendVarint(nil, int64(len(s)))) + s }
		return "\x00\x00\x00\x00\x07\x02" + text(name) + text(value) + "\x00"
	},
	"ubjson": func(name, value string) string {
		text := func(s string) string { return "U" + string([]byte{byte(len(s))}) + s }
		return "{\x00" + text("id") + "i\x07" + text(name) + "S" + text(value) + "}"
	},
	"bincode": func(name, value string) string {
		text := func(s string) string { return le32(len(s)) + "\x00\x00\x00\x00" + s }
		return "\x01\x00\x00\x00\x00\x00\x00\x00" + text(name) + text(value)
	},
	"hessian": func(name, value string) string {
		return "H\x02\x00H" + string([]byte{byte(len(name))}) + name + "S" + be16(len(value)) + value + "Z"
	},
	"gob": func(name, value string) string {
		var out bytes.Buffer
		if err := gob.NewEncoder(&out).Encode(map[string]string{name: value}); err != nil {
			panic(err)
		}
		return out.String()
	},
}

// A string is told from its length, which may be a letter or a digit, and from
// what follows; one that names a secret names what stands right behind it.
func TestCountedStrings(t *testing.T) {
	s := newTestScanner(t)
	token := "sk-" + "ant-api03-" + random("counted", 93, alnumAlphabet) + "AA" // 108 bytes: an l
	password := "Vq7" + random("counted", 44, lowerAlphabet) + "#29"            // 50: a 2
	for format, wrap := range countedFormats {
		for how, outer := range map[string]func(string) string{
			"alone":       func(v string) string { return v },
			"in base64":   func(v string) string { return base64.StdEncoding.EncodeToString([]byte(v)) },
			"in hex":      func(v string) string { return hexadecimal.EncodeToString([]byte(v)) },
			"in gzip":     func(v string) string { return gzipped(v) },
			"in a pickle": func(v string) string { return wrapPickle2("a", v) },
		} {
			found, _ := scanAll(t, s, stringKey("k", outer(wrap("data", token))))
			if len(found) != 1 || found[0].Secret != token {
				t.Errorf("%s %s: token: found %s", format, how, brief(found))
			}
			found, _ = scanAll(t, s, stringKey("k", outer(wrap("db_password", password))))
			if len(found) != 1 || found[0].Secret != password {
				t.Errorf("%s %s: password: found %s", format, how, brief(found))
			}
		}
	}
}

// Names of a schema, and texts without a length, name nothing.
func TestNotCounted(t *testing.T) {
	s := newTestScanner(t)
	for name, value := range map[string]string{
		"schema":    "\x01\x00\x00\x08username\x08password\x05email\x0alast_login\x0capi_key_name\x03yes",
		"far away":  "\x00\x0bdb_password\x01\x02\x03\x04\x05\x06\x07\x08\x09\x14kettle-lantern-83-ab",
		"no length": "\x00\x00db_password\x00\x00Kq3kettlelantern83ab\x00\x00",
		"too long":  "\x00\x0bdb_password\x00\xff\xff\xff\xffa",
	} {
		if found, _ := scanAll(t, s, stringKey("k", value)); len(found) > 0 {
			t.Errorf("%s: found %s", name, brief(found))
		}
	}
}

// What bzip2 and xz wrote, of the same text.
const (
	bzip2Text = "425a6839314159265359c3f56b9e0000719b80580410b00100b647feca20007050003400001550a7a68690d01b49b498a702c3b088ce5de8bc52cb715b759c3ce3084adec6634d86f4d70c44e074097ed8538cad98dadc69a888afc88b8c300bcc5e951cebfc5dc914e142430fd5ae78"
	xzText    = "fd377a585a000004e6d6b4460200210116000000742fe5a3e000e400465d003d88888663b0491c33836ba9e86a908c5fd9888e90237df82f9ef4f0cc2eed1f4bccfc778cea1d2b4e76282c7c9cb8889d61d934780010d0266a611ac869a0dc54131599500000000041d32e78e1d3af4d000162e5010000004655e1deb1c467fb020000000004595a"
)

func TestBzip2AndXZ(t *testing.T) {
	s := newTestScanner(t)
	for kind, digits := range map[string]string{"bzip2": bzip2Text, "xz": xzText} {
		packed, err := hexadecimal.DecodeString(digits)
		if err != nil {
			t.Fatal(err)
		}
		value := string(packed)
		for how, v := range map[string]string{"alone": value, "in base64": base64.StdEncoding.EncodeToString(packed), "in gzip": gzipped(value), "in a pickle": wrapPickle2("a", value)} {
			found, stats := scanAll(t, s, stringKey("k", v))
			if len(found) != 1 || found[0].Secret != "Vq7plumtree#29" || !strings.Contains(strings.Join(found[0].Chain, ">"), kind+">json") || len(stats.Failures) > 0 {
				t.Errorf("%s %s: found %s, failures %v", kind, how, brief(found), stats.Failures)
			}
		}
		for _, n := range []int{12, 30, len(value) / 2, len(value) - 6} {
			if _, stats := scanAll(t, s, stringKey("k", value[:n])); stats.Failures[kind] == 0 {
				t.Errorf("%s: %d bytes of it are no failure", kind, n)
			}
		}
	}
	for _, text := range []string{"BZh9 is how it begins", "BZhello world, 31", "\xfd7zXZ without the rest"} {
		if found, _ := scanAll(t, s, stringKey("k", text)); len(found) > 0 {
			t.Errorf("%q: found %s", text, brief(found))
		}
	}
}
