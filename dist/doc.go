// Package dist is the Erlang distribution protocol as values: what two nodes say
// to each other, without the talking. It dials nothing, starts no goroutine and
// does no I/O; bytes come in and go out, so that both sides of every exchange can
// be tested as tables of bytes. The node (package truss) owns sockets, time and
// locks. Sources: OTP's chapters erl_dist_protocol and erl_ext_dist, checked
// against the bytes of OTP 25, 27 and 29 (testdata/README.md).
//
// # Getting connected
//
// An [Initiator] and an [Acceptor] play the two sides of the handshake, version
// 6. Each method takes or makes one message, without the length that precedes it.
// [Flags] are what nodes announce about themselves; their intersection, in the
// [Result], holds for the connection. A [HandshakeError] tells the stage, the
// peer, and what to answer before closing.
//
// # Signals
//
// A [Control] is what a signal is and whom it concerns; an [Op] says which of its
// fields count. Each has a file, numbered as on the wire: ctl_01_link.go to
// ctl_37_altact_sig_send.go. Numbers without a file mean nothing. A message, an
// exit reason or the arguments of a spawn follow as the payload, a term.
//
// # Frames
//
// A [Sender] puts signals into a [Buffer], a [Receiver] takes frames and yields
// signals. Both hold one half of an atom cache, which is why signals must be
// encoded in the order in which they are sent, and frames read in the order in
// which they come. A payload over 256 KiB goes out in fragments by a [Stream], so
// that other signals, and ticks, need not wait for it.
//
// What a Receiver keeps for its peer is bounded by [ReceiveLimits]. It reads
// control messages itself and leaves payloads alone: they are decoded where they
// are used, into what is wanted there, and a bad one harms its receiver only.
package dist
