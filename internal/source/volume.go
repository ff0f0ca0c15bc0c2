package source

import (
	"bytes"
	"encoding/binary"
)

// A volume is a format that holds whole file systems, which valkeyfs does not
// mount. next is a command to open it without writing to it and without
// replaying a journal; IMAGE stands for the file's name.
type volume struct {
	name string
	next string
	at   func(head []byte) bool
}

const (
	thenScan  = " && valkeyfs scan /mnt/evidence"
	thenParts = "; mount its partitions with -o ro,noload (ext4) or ro,norecovery,nouuid (xfs), then: valkeyfs scan /mnt/evidence"
	mountLoop = "mount -o loop,ro,"
	qemuNBD   = "qemu-nbd --read-only -c /dev/nbd0 "
	ewfMount  = "ewfmount IMAGE /mnt/ewf && losetup -r -P -f --show /mnt/ewf/ewf1" + thenParts + ". Or: valkeyfs carve /mnt/ewf/ewf1"
	e01Mount  = "ewfmount IMAGE /mnt/ewf && losetup -r -P -f --show /mnt/ewf/ewf1" + thenParts + orCarve
	loopParts = "losetup -r -P -f --show IMAGE" + thenParts + orCarve
	orCarve   = ". Or, without mounting: valkeyfs carve IMAGE"
	orConvert = ". Or, without mounting: qemu-img convert -O raw IMAGE disk.raw && valkeyfs carve disk.raw"
)

// volumes are tried in order: containers first, then what a partition table or
// a file system shows.
var volumes = []volume{
	{"E01", e01Mount, magicAt(0, "EVF\x09\x0d\x0a\xff\x00")},                                                                                                                                       // libewf, EWF file header
	{"Ex01", ewfMount, magicAt(0, "EVF2\x0d\x0a\x81\x00")},                                                                                                                                         // libewf, EWF2
	{"VMDK", qemuNBD + "IMAGE" + thenParts + orConvert, anyOf(magicAt(0, "KDMV"), magicAt(0, "COWD"), magicAt(0, "# Disk DescriptorFile"))},                                                        // qemu block/vmdk.c
	{"QCOW2", qemuNBD + "IMAGE" + thenParts + orConvert, magicAt(0, "QFI\xfb")},                                                                                                                    // qemu docs/interop/qcow2.rst
	{"VHDX", qemuNBD + "IMAGE" + thenParts + orConvert, magicAt(0, "vhdxfile")},                                                                                                                    // qemu block/vhdx.h
	{"VHD", qemuNBD + "-f vpc IMAGE" + thenParts + orCarve, magicAt(0, "conectix")},                                                                                                                // qemu block/vpc.c
	{"VDI", qemuNBD + "IMAGE" + thenParts + orConvert, magicAt(0x40, "\x7f\x10\xda\xbe")},                                                                                                          // qemu block/vdi.c
	{"LUKS", "cryptsetup open --readonly IMAGE evidence && mount -o ro,noload /dev/mapper/evidence /mnt/evidence" + thenScan, magicAt(0, "LUKS\xba\xbe")},                                          // LUKS2 on-disk format, 2.1
	{"LVM", "losetup -r -f --show IMAGE && vgchange -ay --readonly, mount its volumes with -o ro,noload (ext4) or ro,norecovery,nouuid (xfs), then: valkeyfs scan /mnt/evidence" + orCarve, isLVM}, // lvm2 lib/label/label.h
	{"GPT", loopParts, anyOf(magicAt(512, "EFI PART"), magicAt(4096, "EFI PART"))},                                                                                                                 // UEFI 5.3.2
	{"ext4", mountLoop + "noload IMAGE /mnt/evidence" + thenScan + orCarve, isExt},                                                                                                                 // linux fs/ext4/ext4.h, s_magic
	{"xfs", mountLoop + "norecovery,nouuid IMAGE /mnt/evidence" + thenScan + orCarve, magicAt(0, "XFSB")},                                                                                          // linux fs/xfs/libxfs/xfs_format.h
	{"btrfs", mountLoop + "rescue=nologreplay IMAGE /mnt/evidence" + thenScan + orCarve, magicAt(0x10040, "_BHRfS_M")},                                                                             // linux include/uapi/linux/btrfs_tree.h
	{"partitioned", loopParts, isMBR}, // UEFI 5.2.1
}

func sniffVolume(head []byte) *volume {
	for i := range volumes {
		if volumes[i].at(head) {
			return &volumes[i]
		}
	}
	return nil
}

func magicAt(off int, magic string) func([]byte) bool {
	return func(head []byte) bool {
		return len(head) >= off+len(magic) && string(head[off:off+len(magic)]) == magic
	}
}

func anyOf(tests ...func([]byte) bool) func([]byte) bool {
	return func(head []byte) bool {
		for _, t := range tests {
			if t(head) {
				return true
			}
		}
		return false
	}
}

// isLVM looks for a physical volume's label in the first four sectors.
func isLVM(head []byte) bool {
	for off := 0; off < 4*512; off += 512 {
		if magicAt(off, "LABELONE")(head) && magicAt(off+24, "LVM2 001")(head) {
			return true
		}
	}
	return false
}

// isExt wants the magic of ext2, 3 and 4 and a superblock that makes sense.
func isExt(head []byte) bool {
	const superblock = 1024
	if len(head) < superblock+1024 || !magicAt(superblock+0x38, "\x53\xef")(head) {
		return false
	}
	sb := head[superblock:]
	le := binary.LittleEndian
	return le.Uint32(sb[0:]) > 0 && le.Uint32(sb[4:]) > 0 && le.Uint32(sb[24:]) <= 6 // s_inodes_count, s_blocks_count_lo, s_log_block_size
}

// isMBR wants the boot signature and four entries that make sense, one of them
// in use.
func isMBR(head []byte) bool {
	if len(head) < 1024 || head[510] != 0x55 || head[511] != 0xaa {
		return false
	}
	used := 0
	for e := 446; e < 510; e += 16 {
		entry := head[e : e+16]
		if entry[0] != 0 && entry[0] != 0x80 {
			return false
		}
		start, count := binary.LittleEndian.Uint32(entry[8:]), binary.LittleEndian.Uint32(entry[12:])
		if entry[4] == 0 {
			if !bytes.Equal(entry, make([]byte, 16)) {
				return false
			}
			continue
		}
		if start == 0 || count == 0 {
			return false
		}
		used++
	}
	return used > 0
}
