package etf

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"io"
	"sync"
)

// Decode reads one term with its version byte, as term_to_binary writes it,
// compressed or not; bytes after it are an error. Binaries alias b unless the
// term is compressed. For limits other than the defaults use a Decoder.
func Decode(b []byte) (Term, error) {
	d := decoders.Get().(*Decoder)
	defer release(d)
	if err := d.resetVersioned(b); err != nil {
		return nil, err
	}
	t, err := d.term()
	if err != nil {
		return nil, err
	}
	return t, d.end()
}

// Unmarshal reads one term with its version byte into *v; bytes after it are an
// error. See the package comment for what goes into what.
func Unmarshal(b []byte, v any) error {
	d := decoders.Get().(*Decoder)
	defer release(d)
	if err := d.resetVersioned(b); err != nil {
		return err
	}
	if err := d.unmarshal(v); err != nil {
		return err
	}
	return d.end()
}

// decoders are kept for the atoms they know: what is decoded here is often alike,
// and has no header that would name them.
var decoders = sync.Pool{New: func() any { return new(Decoder) }}

func release(d *Decoder) {
	d.Reset(nil, nil)
	decoders.Put(d)
}

// end fails if anything is left.
func (d *Decoder) end() error {
	if d.off < len(d.in) {
		return d.invalid(d.off, "bytes after the term")
	}
	return nil
}

// resetVersioned is Reset for a term with its version byte. Only here may a term
// be compressed: inside another, and on a connection, no OTP reads that.
func (d *Decoder) resetVersioned(b []byte) error {
	d.Reset(b, nil)
	switch {
	case len(b) == 0:
		return d.truncated(0, "version")
	case b[0] != version:
		return d.invalid(0, "version is not 131")
	case len(b) > 1 && b[1] == extCompressed:
		return d.inflate(b)
	}
	d.off = 1
	return nil
}

// deflateRatio is the most that deflate can shrink anything (1032:1, which zlib's
// own documentation gives); it tells a lying size before memory is spent on it.
const deflateRatio = 1032

func (d *Decoder) inflate(b []byte) error {
	if len(b) < 6 {
		return d.truncated(1, "compressed term")
	}
	size := uint64(binary.BigEndian.Uint32(b[2:]))
	if size > uint64(d.Limits.bytes()) {
		return d.fail(1, ErrLimit, "compressed term exceeds Limits.Bytes")
	}
	if size > uint64(len(b))*deflateRatio {
		return d.truncated(1, "compressed term of more bytes than follow")
	}
	src := bytes.NewReader(b[6:])
	plain, err := inflate(src, int(size))
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return d.truncated(1, "compressed term")
	case err != nil:
		return d.invalid(1, "compressed term: "+err.Error())
	case src.Len() > 0:
		return d.invalid(len(b)-src.Len(), "bytes after the term")
	}
	d.Reset(plain, nil)
	return nil
}

var errInflatedSize = errors.New("size differs from what was announced")

// inflate reads one whole zlib stream that must hold size bytes, and not a byte
// of src more: bytes.Reader is an io.ByteReader, which zlib does not read ahead of.
func inflate(src *bytes.Reader, size int) ([]byte, error) {
	z, err := zlib.NewReader(src)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	plain := make([]byte, size)
	if _, err := io.ReadFull(z, plain); err != nil {
		return nil, err
	}
	var more [1]byte
	if n, err := z.Read(more[:]); n > 0 {
		return nil, errInflatedSize
	} else if err != io.EOF { // the checksum is verified here
		return nil, err
	}
	return plain, nil
}
