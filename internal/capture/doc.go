// Package capture shows the TCP streams in captured packets as bytes, one direction of
// a connection behind another.
//
//	capture.go   streams, and the places of their bytes in the file
//	file.go      the packets of pcap and pcapng files
//	packet.go    the TCP segment in a packet
//
// Nothing is copied: of each segment its place in the file is kept. Where bytes of a
// stream were not captured, or the stream ends, zeros up to the next page stand, so that
// nothing reads on over the border.
package capture
