package source

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// put returns zeros with the given strings at the given offsets.
func put(n int, at map[int]string) []byte {
	b := make([]byte, n)
	for off, s := range at {
		copy(b[off:], s)
	}
	return b
}

func TestSniff(t *testing.T) {
	partition := make([]byte, 16)
	partition[4] = 0x83
	binary.LittleEndian.PutUint32(partition[8:], 2048)
	binary.LittleEndian.PutUint32(partition[12:], 1<<20)
	superblock := string([]byte{0, 1, 0, 0, 0, 4, 0, 0})
	for name, c := range map[string]struct {
		in     string
		kind   Kind
		volume string
	}{
		"redis snapshot":    {"REDIS0011\xfa\x09redis-ver\x057.2.4\xff", RDB, ""},
		"valkey snapshot":   {"VALKEY080\xff", RDB, ""},
		"commands":          {"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n", AOF, ""},
		"dated commands":    {"#TS:1700000000\r\n*1\r\n$4\r\nPING\r\n", AOF, ""},
		"damaged commands":  {"+2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n", AOF, ""},
		"markdown":          {"* one\n* two\n*3 three\n", Text, ""},
		"manifest":          {"file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n", Manifest, ""},
		"manifest, no seq":  {"file appendonly.aof.1.base.rdb type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n", Manifest, ""},
		"no manifest":       {"file under type\nseq of events, type of loss\n", Text, ""},
		"manifest, comment": {"# written by hand\nfile \"a b\" seq 1 type b\n", Manifest, ""},
		"conf":              {"# Valkey configuration file example.\n\nbind 127.0.0.1\nport 6379\nrequirepass x\nsave 3600 1\n", Conf, ""},
		"sentinel conf":     {"port 26379\nsentinel monitor m 127.0.0.1 6379 2\nsentinel auth-pass m x\n", Conf, ""},
		"conf of another":   {"server {\n listen 80;\n}\n", Text, ""},
		"acl":               {"user default on nopass ~* &* +@all\nuser alice off #0a0b -@all\n", ACL, ""},
		"log":               {"1234:M 24 Nov 2025 22:53:00.123 * Ready to accept connections tcp\n", Log, ""},
		"log with banner":   {"                _._\n           _.-``__ ''-._\n\n1:C 24 Nov 2025 22:53:00.123 # oO0OoO0OoO0Oo Valkey is starting\n", Log, ""},
		"logfmt log":        {"pid=1 role=primary timestamp=\"24 Nov 2025 22:53:00.123\" level=notice message=\"x\"\n", Log, ""},
		"sentinel log":      {"77:X 24 Nov 2025 22:53:00.123 # +monitor master m 127.0.0.1 6379 quorum 2\n", Log, ""},
		"log before 3.0":    {"[1234] 24 Nov 22:53:00.123 * Server started\n", Log, ""},
		"history":           {"auth x\nget foo\nCONFIG GET *\nset a b\n", History, ""},
		"nodes.conf":        {strings.Repeat("0123456789", 4) + " 127.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-5460\nvars currentEpoch 1 lastVoteEpoch 0\n", Nodes, ""},
		"prose":             {"Get the dump and look at it.\nThen write it down.\nNothing else.\n", Text, ""},
		"latin1":            {"Gr\xfc\xdfe aus M\xfcnchen, wo das Bier flie\xdft und niemand ein Passwort hat\n", Text, ""},
		"binary":            {"\x7fELF\x02\x01\x01\x00\x00\x00", Other, ""},
		"controls":          {"\x01\x02\x03\x04abc", Other, ""},
		"empty":             {"", Empty, ""},
		"zeros":             {string(make([]byte, 70_000)), Other, ""},
		"E01":               {"EVF\x09\x0d\x0a\xff\x00\x01", Volume, "E01"},
		"vmdk":              {"KDMV\x01\x00\x00\x00", Volume, "VMDK"},
		"vmdk descriptor":   {"# Disk DescriptorFile\nversion=1\n", Volume, "VMDK"},
		"qcow2":             {"QFI\xfb\x00\x00\x00\x03", Volume, "QCOW2"},
		"luks":              {"LUKS\xba\xbe\x00\x02", Volume, "LUKS"},
		"lvm":               {string(put(4096, map[int]string{512: "LABELONE", 536: "LVM2 001"})), Volume, "LVM"},
		"ext4":              {string(put(8192, map[int]string{1024: superblock, 1024 + 0x38: "\x53\xef"})), Volume, "ext4"},
		"xfs":               {"XFSB\x00\x00\x10\x00", Volume, "xfs"},
		"btrfs":             {string(put(sniffHead, map[int]string{0x10040: "_BHRfS_M"})), Volume, "btrfs"},
		"gpt":               {string(put(8192, map[int]string{446: string(partition), 510: "\x55\xaa", 512: "EFI PART"})), Volume, "GPT"},
		"mbr":               {string(put(8192, map[int]string{446: string(partition), 510: "\x55\xaa"})), Volume, "partitioned"},
		"boot sector":       {string(put(8192, map[int]string{0: "\xeb\x3c\x90", 446: "code, not a table", 510: "\x55\xaa"})), Other, ""},
	} {
		kind, v := sniff([]byte(c.in))
		got := ""
		if v != nil {
			got = v.name
			if v.next == "" {
				t.Errorf("%s: no next command", name)
			}
		}
		if kind != c.kind || got != c.volume {
			t.Errorf("%s: %s %s, want %s %s", name, kind, got, c.kind, c.volume)
		}
	}
}

// A text is judged by its head alone, wherever that cuts a line or a rune.
func TestSniffLongText(t *testing.T) {
	conf := "# " + strings.Repeat("ü", 100) + "\nmaxmemory 100mb\nappendonly yes\n"
	long := strings.Repeat(conf, 2*sniffHead/len(conf))
	for cut := sniffHead - 4; cut <= sniffHead; cut++ {
		if k, _ := sniff([]byte(long)[:cut]); k != Conf {
			t.Errorf("head of %d bytes: %s", cut, k)
		}
	}
}

func FuzzSniff(f *testing.F) {
	for _, s := range []string{"user a on\n", "file a seq 1 type b\n", "1:M 2 Jan 2006 x\n", "pid=1 role=x\n", "\r\n*1\r\n$1\r\n", "\x55\xaa", "LABELONE", ""} {
		f.Add([]byte(s))
		f.Add(bytes.Repeat([]byte(s), 100))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		kind, v := sniff(head)
		if (kind == Volume) != (v != nil) {
			t.Errorf("%s with volume %v", kind, v)
		}
	})
}
