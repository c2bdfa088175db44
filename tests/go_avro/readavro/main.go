// Readavro reads statements and decisions of the exchange, as docs/evidence.md says, with a stock library for Avro:
//
//	readavro SCHEMAS FILE…
//
// A line of JSON for each file: its digest, its schema's number, and its fields. A file that the library would write
// otherwise than it stands there is refused: every value has one encoding.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"github.com/hamba/avro/v2"
)

const frame = 5

// api writes an array as one block without its size, as the exchange does; the library would write sizes.
var api = avro.Config{DisableBlockSizeHeader: true, BlockLength: 1 << 20}.Freeze()

func main() {
	if len(os.Args) < 3 {
		fail("", fmt.Errorf("usage: readavro SCHEMAS FILE…"))
	}
	for _, path := range os.Args[2:] {
		read, err := read(os.Args[1], path)
		if err != nil {
			fail(path, err)
		}
		line, err := json.Marshal(read)
		if err != nil {
			fail(path, err)
		}
		fmt.Println(string(line))
	}
}

func fail(path string, err error) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
	os.Exit(1)
}

func read(schemas, path string) (map[string]any, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(data) < frame || data[0] != 0 {
		return nil, fmt.Errorf("no frame: a zero byte and a schema's number in four")
	}
	number := binary.BigEndian.Uint32(data[1:frame])
	files, err := filepath.Glob(filepath.Join(schemas, fmt.Sprintf("%04d-*.avsc", number)))
	if err != nil || len(files) != 1 {
		return nil, fmt.Errorf("schema %d is not known here", number)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		return nil, err
	}
	// Schemas repeat names of types (Head, Digest), so each is read by itself.
	schema, err := avro.ParseBytesWithCache(text, "", &avro.SchemaCache{})
	if err != nil {
		return nil, err
	}
	var value any
	if err := api.Unmarshal(schema, data[frame:], &value); err != nil {
		return nil, err
	}
	again, err := api.Marshal(schema, value)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, data[frame:]) {
		return nil, fmt.Errorf("not in the one encoding that it has")
	}
	digest := sha256.Sum256(data)
	return map[string]any{
		"digest": hex.EncodeToString(digest[:]), "schema": number, "fields": plain(schema, value),
	}, nil
}

// plain is a value as people read it: bytes in hexadecimal, times in ISO 8601.
func plain(schema avro.Schema, value any) any {
	switch schema := schema.(type) {
	case *avro.RefSchema:
		return plain(schema.Schema(), value)
	case *avro.RecordSchema:
		fields := map[string]any{}
		for _, field := range schema.Fields() {
			fields[field.Name()] = plain(field.Type(), value.(map[string]any)[field.Name()])
		}
		return fields
	case *avro.ArraySchema:
		items := []any{}
		for _, item := range value.([]any) {
			items = append(items, plain(schema.Items(), item))
		}
		return items
	case *avro.UnionSchema:
		if value == nil {
			return nil
		}
		inner := schema.Types()[1]
		if named, ok := value.(map[string]any); ok && len(named) == 1 {
			for _, only := range named {
				value = only
			}
		}
		return plain(inner, value)
	}
	switch value := value.(type) {
	case []byte:
		return hex.EncodeToString(value)
	case time.Time:
		return moment(schema, value.UTC())
	}
	if reflect.TypeOf(value).Kind() == reflect.Array {
		array := reflect.ValueOf(value)
		data := make([]byte, array.Len())
		reflect.Copy(reflect.ValueOf(data), array)
		return hex.EncodeToString(data)
	}
	return value
}

func moment(schema avro.Schema, at time.Time) string {
	switch {
	case schema.Type() == avro.Int:
		return at.Format("2006-01-02")
	case at.Nanosecond() == 0:
		return at.Format("2006-01-02T15:04:05+00:00")
	}
	return at.Format("2006-01-02T15:04:05.000000+00:00")
}
