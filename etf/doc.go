// Package etf is Erlang's external term format: the bytes that BEAM nodes
// exchange, that term_to_binary writes, and what they stand for in Go.
//
// # Two ways to read and write
//
// The dynamic one takes any term as it is. [Decode] and a [Decoder]'s Term yield
// the Go types in the table at [Term]; [Marshal] and an [Encoder]'s Append take
// them, and Go's own types besides:
//
//	b, err := etf.Marshal(etf.Tuple{etf.Atom("ok"), 42, "a string, which is a binary"})
//	t, err := etf.Decode(b) // etf.Tuple{etf.Atom("ok"), int64(42), []byte("a string, ...")}
//
// The typed one reads into, and writes from, structs, slices, Go maps and types
// with methods of their own: see [Marshal] and [Unmarshal].
//
// Between them stand the header methods of Decoder (Tuple, List, Map, Atom, Pid,
// ...), for code that knows what comes and wants no allocation, such as the
// control messages of a connection. [Equal] and [Compare] are Erlang's =:= and <.
//
// # What does not map one to one
//
//   - Go's string encodes as a binary, as Elixir's strings are; a list of
//     characters is a [Charlist]. Decoding yields []byte for the one and a List of
//     int64 for the other: a list does not tell whether it was meant as text.
//   - nil is the atom nil, true and false are atoms. Decoding yields Atoms.
//   - A [Map] is a slice of entries in the order of the wire, as keys may be
//     anything, and no Go map can have a slice for a key.
//   - 0.0 and -0.0 are different terms, as in OTP 27 and later.
//   - NaN and the infinities are no terms. Encoding refuses them, and whatever
//     else makes a BEAM drop the connection it arrives on.
//
// # Memory
//
// Binaries alias the input of the Decoder; nothing else does. So decoding is
// cheap for large binaries, the input must not be changed afterwards, and a small
// binary keeps all of the input alive: clone it (bytes.Clone) to keep it for long.
// Elements of tuples and lists of one term may also share an allocation with
// their neighbours. Encoding keeps nothing of what it is given, but for the
// binaries that an Encoder notes as Splices when it was asked to.
//
// # Hostile input
//
// Decoding never panics, and never allocates more than a small multiple of the
// bytes it was given, whatever they claim. [Limits] bounds depth, number of
// elements, inflated size and atoms on top. Equal keys in maps, which OTP refuses,
// are found in linear time, by a hash that is keyed anew in each process.
//
// # Which OTP
//
// Everything that OTP 25 to 29 write is read, and so is what older ones wrote
// (Latin-1 atoms, floats as text, short creations). What is written, every OTP
// since 25 reads; only native records, which OTP 29 introduced, have to be asked
// for (see Encoder.Records). The tests hold recordings of all three.
//
// Source: ERTS User's Guide, chapter "External Term Format" (erl_ext_dist), and
// the behaviour of the releases named above where it is silent or wrong.
package etf
