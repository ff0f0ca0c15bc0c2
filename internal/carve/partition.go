package carve

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
)

// partition is a stretch of a raw disk.
type partition struct {
	name     string
	from, to int64
}

const sector = 512

// partitions reads the partition table of a raw disk: GPT (UEFI 5.3) or the primary
// partitions of an MBR. There are none where there is no table.
func partitions(img Image) []partition {
	head := make([]byte, 2*sector)
	if n, _ := img.ReadAt(head, 0); n < len(head) || head[510] != 0x55 || head[511] != 0xaa {
		return nil
	}
	if string(head[sector:sector+8]) == "EFI PART" {
		return gpt(img, head[sector:])
	}
	var all []partition
	for i := range 4 {
		e := head[446+16*i:]
		start, count := int64(binary.LittleEndian.Uint32(e[8:])), int64(binary.LittleEndian.Uint32(e[12:]))
		if e[0]&0x7f != 0 {
			return nil // a boot sector without a table
		}
		if e[4] != 0 && start > 0 && count > 0 && start*sector < img.Size() {
			all = append(all, partition{fmt.Sprintf("%d", i+1), start * sector, (start + count) * sector})
		}
	}
	return all
}

// gpt reads the entries that a GUID partition table's header names.
func gpt(img Image, head []byte) (all []partition) {
	const entries, least = 128, 128
	at := int64(binary.LittleEndian.Uint64(head[72:]))
	n, size := binary.LittleEndian.Uint32(head[80:]), binary.LittleEndian.Uint32(head[84:])
	if at <= 0 || at > img.Size()/sector || size < least || size > 4096 {
		return nil
	}
	e := make([]byte, size)
	for i := range min(n, entries) {
		if k, _ := img.ReadAt(e, at*sector+int64(i)*int64(size)); k < len(e) {
			return all
		}
		first, last := int64(binary.LittleEndian.Uint64(e[32:])), int64(binary.LittleEndian.Uint64(e[40:]))
		if first <= 0 || last < first || last > 1<<50 {
			continue
		}
		name := make([]uint16, 36)
		for k := range name {
			name[k] = binary.LittleEndian.Uint16(e[56+2*k:])
		}
		p := partition{fmt.Sprintf("%d", i+1), first * sector, (last + 1) * sector}
		if text := strings.TrimRight(string(utf16.Decode(name)), "\x00"); text != "" {
			p.name += " " + text
		}
		all = append(all, p)
	}
	return all
}

// partitionOf names the partition that an offset lies in.
func partitionOf(all []partition, at int64) string {
	for _, p := range all {
		if at >= p.from && at < p.to {
			return p.name
		}
	}
	return ""
}
