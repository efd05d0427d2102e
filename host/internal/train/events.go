package train

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"

	"google.golang.org/protobuf/encoding/protowire"
)

// Events writes scalars to a TensorBoard event file: TFRecord frames, each with one Event message of
// tensorflow/core/util's event.proto. Each record is written at once, so what a killed process leaves is whole but for
// the last record.
type Events struct {
	file    *os.File
	started bool
}

// Field numbers of the messages Event, SessionLog, Summary and Summary.Value.
const (
	eventWallTime    protowire.Number = 1
	eventStep        protowire.Number = 2
	eventFileVersion protowire.Number = 3
	eventSummary     protowire.Number = 5
	eventSessionLog  protowire.Number = 7
	sessionStatus    protowire.Number = 1
	summaryValue     protowire.Number = 1
	valueTag         protowire.Number = 1
	valueSimple      protowire.Number = 2
)

// sessionStart is the status that makes a reader forget what an earlier process wrote of this step and later ones.
const sessionStart = 1

// CreateEvents opens an event file, a new one or one that an earlier process began: its last record is removed if it is
// not whole, and more are appended.
func CreateEvents(path string) (*Events, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open events: %w", err)
	}
	e := &Events{file: f}
	if err := e.resume(); err != nil {
		return nil, fmt.Errorf("open events %s: %w", path, errors.Join(err, f.Close()))
	}
	return e, nil
}

// resume goes to the end of the whole records. A file without any gets its first: the version.
func (e *Events) resume() error {
	end, err := wholeRecords(e.file)
	if err != nil {
		return err
	}
	if err := e.file.Truncate(end); err != nil {
		return err
	}
	if _, err := e.file.Seek(end, io.SeekStart); err != nil || end > 0 {
		return err
	}
	version := protowire.AppendTag(nil, eventFileVersion, protowire.BytesType)
	return e.write(protowire.AppendString(version, "brain.Event:2"))
}

// Scalar appends a value of a curve: wall is the time in seconds since 1970. The first one after opening also tells
// readers to forget what an earlier process wrote of this step and later ones.
func (e *Events) Scalar(tag string, step int, wall float64, value float32) error {
	head := protowire.AppendTag(nil, eventWallTime, protowire.Fixed64Type)
	head = protowire.AppendFixed64(head, math.Float64bits(wall))
	head = protowire.AppendTag(head, eventStep, protowire.VarintType)
	head = protowire.AppendVarint(head, uint64(step))
	if !e.started {
		log := protowire.AppendTag(nil, sessionStatus, protowire.VarintType)
		if err := e.write(appendMessage(head, eventSessionLog, protowire.AppendVarint(log, sessionStart))); err != nil {
			return err
		}
		e.started = true
	}
	point := protowire.AppendTag(nil, valueTag, protowire.BytesType)
	point = protowire.AppendString(point, tag)
	point = protowire.AppendTag(point, valueSimple, protowire.Fixed32Type)
	point = protowire.AppendFixed32(point, math.Float32bits(value))
	return e.write(appendMessage(head, eventSummary, appendMessage(nil, summaryValue, point)))
}

// Close syncs and closes the file.
func (e *Events) Close() error { return errors.Join(e.file.Sync(), e.file.Close()) }

// appendMessage returns b with the field; b itself is left as it is.
func appendMessage(b []byte, field protowire.Number, message []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b[:len(b):len(b)], field, protowire.BytesType), message)
}

// write appends one record: the length, its checksum, the data, their checksum.
func (e *Events) write(data []byte) error {
	record := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	record = binary.LittleEndian.AppendUint32(record, maskedCRC(record))
	record = append(record, data...)
	record = binary.LittleEndian.AppendUint32(record, maskedCRC(data))
	if _, err := e.file.Write(record); err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maskedCRC is the checksum of TFRecord: a CRC-32C, rotated and shifted so that checksums of checksums are no problem.
func maskedCRC(data []byte) uint32 {
	c := crc32.Checksum(data, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// recordLimit bounds the data of a record, in bytes. Those written here are far smaller.
const recordLimit = 1 << 20

// wholeRecords returns where the whole records at the start of r end.
func wholeRecords(r io.Reader) (end int64, err error) {
	in := bufio.NewReader(r)
	for {
		data, err := readRecord(in)
		if errors.Is(err, errNotWhole) {
			return end, nil
		}
		if err != nil {
			return 0, err
		}
		end += int64(8 + 4 + len(data) + 4)
	}
}

var errNotWhole = errors.New("no whole record")

// readRecord returns the data of the next record, or errNotWhole at the end and where the bytes are no record.
func readRecord(r io.Reader) ([]byte, error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, atEnd(err)
	}
	n := binary.LittleEndian.Uint64(head[:])
	if binary.LittleEndian.Uint32(head[8:]) != maskedCRC(head[:8]) || n > recordLimit {
		return nil, errNotWhole
	}
	data := make([]byte, n+4)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, atEnd(err)
	}
	if binary.LittleEndian.Uint32(data[n:]) != maskedCRC(data[:n]) {
		return nil, errNotWhole
	}
	return data[:n], nil
}

func atEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errNotWhole
	}
	return err
}
