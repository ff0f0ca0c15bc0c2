#include "textflag.h"

// func markAVX2(b []byte, records, others, prefixes []uint64, behind uint8, halves *[4][16]uint8)
TEXT ·markAVX2(SB), NOSPLIT, $0-112
	MOVQ b_base+0(FP), SI
	MOVQ records_base+24(FP), DI
	MOVQ records_len+32(FP), CX
	MOVQ others_base+48(FP), R8
	MOVQ prefixes_base+72(FP), R9
	MOVQ halves+104(FP), DX
	VPBROADCASTB behind+96(FP), Y6 // the classes of the bytes behind
	VBROADCASTI128 0(DX), Y8
	VBROADCASTI128 16(DX), Y9
	VBROADCASTI128 32(DX), Y10
	VBROADCASTI128 48(DX), Y11
	MOVL $0x0f, AX
	VMOVD AX, X12
	VPBROADCASTB X12, Y12
	MOVL $0x70, AX
	VMOVD AX, X13
	VPBROADCASTB X13, Y13
	MOVL $0x7f, AX
	VMOVD AX, X14
	VPBROADCASTB X14, Y14
	SHLQ $1, CX // 32 places each, the last first

next:
	DECQ CX
	MOVQ CX, AX
	SHLQ $5, AX
	VMOVDQU (SI)(AX*1), Y0
	VPAND Y12, Y0, Y1 // the lowest four bits of each byte
	VPSRLW $4, Y0, Y2
	VPAND Y12, Y2, Y2 // the highest
	VPSHUFB Y1, Y8, Y3
	VPSHUFB Y2, Y9, Y4
	VPAND Y3, Y4, Y3 // the classes of which it may be the first
	VPSHUFB Y1, Y10, Y4
	VPSHUFB Y2, Y11, Y5
	VPAND Y4, Y5, Y4 // and the second
	VPERM2I128 $0x21, Y6, Y4, Y6
	VPALIGNR $1, Y4, Y6, Y6 // the same of the byte behind
	VPAND Y3, Y6, Y3
	VMOVDQA Y4, Y6
	VPMOVMSKB Y3, AX // classPrefix
	MOVL AX, (R9)(CX*4)
	VPAND Y12, Y3, Y4 // classRecord: any of its bits and 0x7f are more than that
	VPADDB Y14, Y4, Y4
	VPMOVMSKB Y4, AX
	MOVL AX, (DI)(CX*4)
	VPAND Y13, Y3, Y5 // classOther, in the same way
	VPADDB Y13, Y5, Y5
	VPMOVMSKB Y5, AX
	MOVL AX, (R8)(CX*4)
	TESTQ CX, CX
	JNE next
	VZEROUPPER
	RET
