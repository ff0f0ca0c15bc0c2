#include "textflag.h"

// Of 32 bytes: Y0, those below 0x80 having the highest bit unset, and Y1, the others,
// to Y2 and Y3, what a step has for them. Then 16 is added, so that a row less counts.
#define STEP(n) \
	VBROADCASTI128 (16*n)(DX), Y4; \
	VBROADCASTI128 (16*n+128)(DX), Y5; \
	VPSHUFB Y0, Y4, Y4; \
	VPSHUFB Y1, Y5, Y5; \
	VPXOR Y4, Y2, Y2; \
	VPXOR Y5, Y3, Y3; \
	VPADDUSB Y15, Y0, Y0; \
	VPADDUSB Y15, Y1, Y1

// func markAVX2(b []byte, records, others []uint64, behind uint8, steps *[16][16]uint8)
TEXT ·markAVX2(SB), NOSPLIT, $0-88
	MOVQ b_base+0(FP), SI
	MOVQ records_base+24(FP), DI
	MOVQ records_len+32(FP), CX
	MOVQ others_base+48(FP), R8
	MOVQ steps+80(FP), DX
	VPBROADCASTB behind+72(FP), Y6 // the classes of the bytes behind
	MOVL $0x10, AX
	VMOVD AX, X15
	VPBROADCASTB X15, Y15
	MOVL $0x80, AX
	VMOVD AX, X14
	VPBROADCASTB X14, Y14
	SHLQ $1, CX // 32 places each, the last first

next:
	DECQ CX
	MOVQ CX, AX
	SHLQ $5, AX
	VMOVDQU (SI)(AX*1), Y0
	VPXOR Y14, Y0, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	STEP(0)
	STEP(1)
	STEP(2)
	STEP(3)
	STEP(4)
	STEP(5)
	STEP(6)
	STEP(7)
	VPXOR Y3, Y2, Y2 // the classes
	VPERM2I128 $0x21, Y6, Y2, Y6
	VPALIGNR $1, Y2, Y6, Y6 // those of the byte behind each
	VPSRLW $4, Y6, Y6
	VPAND Y2, Y6, Y6
	VPADDB Y6, Y6, Y7
	VPOR Y6, Y7, Y7 // the second bit: a record or a prefix; the fourth: a string or what else
	VPSLLW $6, Y7, Y8
	VPMOVMSKB Y8, AX
	MOVL AX, (DI)(CX*4)
	VPSLLW $4, Y7, Y8
	VPMOVMSKB Y8, AX
	MOVL AX, (R8)(CX*4)
	VMOVDQA Y2, Y6
	TESTQ CX, CX
	JNE next
	VZEROUPPER
	RET
