// Readlog reads a folder of the archive's logs with Go's own packages for transparency logs, and believes nothing:
//
//	readlog FOLDER POLICY [PROOF ENTRY]
//
// The note and its cosignatures, the root out of the tiles, each entry of each bundle, inclusion of some entries and
// consistency between some sizes are verified by golang.org/x/mod/sumdb and filippo.io/torchwood; and an entry's proof.
package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// files reads tiles of a log, which C2SP names without the height that Go's own names have.
type files string

func (f files) Height() int { return height }

func (f files) SaveTiles([]tlog.Tile, [][]byte) {}

func (f files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1)
		path = strings.Replace(path, "tile/8/", "tile/", 1)
		var err error
		if data[i], err = os.ReadFile(filepath.Join(string(f), path)); err != nil {
			return nil, err
		}
	}
	return data, nil
}

func (f files) entries(index, width int64) ([][]byte, error) {
	data, err := f.ReadTiles([]tlog.Tile{{H: height, L: -1, N: index, W: int(width)}})
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for rest := data[0]; len(rest) > 0; {
		if len(rest) < 2 || len(rest) < 2+int(binary.BigEndian.Uint16(rest)) {
			return nil, fmt.Errorf("bundle %d is torn", index)
		}
		end := 2 + int(binary.BigEndian.Uint16(rest))
		entries, rest = append(entries, rest[2:end]), rest[end:]
	}
	if int64(len(entries)) != width {
		return nil, fmt.Errorf("bundle %d has %d entries, not %d", index, len(entries), width)
	}
	return entries, nil
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	folder := filepath.Join(args[0], "log")
	policy, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	signed, err := os.ReadFile(filepath.Join(folder, "heads", "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := open(policy, signed)
	if err != nil {
		return err
	}
	last, err := read(files(filepath.Join(folder, "heads")), tree)
	if err != nil {
		return fmt.Errorf("heads: %w", err)
	}
	fmt.Printf("heads %d\n", tree.N)
	heads, err := parse(last)
	if err != nil {
		return err
	}
	for partition, head := range heads {
		name := fmt.Sprintf("journal/%d", partition)
		if _, err := read(files(filepath.Join(folder, name)), head); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Printf("%s %d\n", name, head.N)
	}
	if len(args) == 4 {
		return prove(policy, args[2], args[3])
	}
	return nil
}

// open verifies a checkpoint's signatures by the policy.
func open(text, signed []byte) (tlog.Tree, error) {
	policy, err := torchwood.ParsePolicy(text)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(signed, policy)
	if err != nil {
		return tlog.Tree{}, err
	}
	checkpoint, err := torchwood.ParseCheckpoint(opened.Text)
	if err != nil {
		return tlog.Tree{}, err
	}
	return checkpoint.Tree, policy.Check(checkpoint.Origin, opened.Sigs)
}

// read goes through a whole log; it returns the last entry.
func read(log files, tree tlog.Tree) ([]byte, error) {
	hashes := tlog.TileHashReader(tree, log)
	var last []byte
	for first := int64(0); first < tree.N; first += 1 << height {
		width := min(1<<height, tree.N-first)
		entries, err := log.entries(first>>height, width)
		if err != nil {
			return nil, err
		}
		indexes := make([]int64, width)
		for i := range indexes {
			indexes[i] = tlog.StoredHashIndex(0, first+int64(i))
		}
		leaves, err := hashes.ReadHashes(indexes) // which verifies the tiles up to the root
		if err != nil {
			return nil, err
		}
		for i, entry := range entries {
			if tlog.RecordHash(entry) != leaves[i] {
				return nil, fmt.Errorf("entry %d is not the one of the tree", first+int64(i))
			}
		}
		last = entries[width-1]
	}
	root, err := tlog.TreeHash(tree.N, hashes)
	if err != nil || root != tree.Hash {
		return nil, errors.Join(err, fmt.Errorf("the root of %d entries is %s, not %s", tree.N, root, tree.Hash))
	}
	return last, some(tree, hashes)
}

// some proves a few entries and sizes of a tree.
func some(tree tlog.Tree, hashes tlog.HashReader) error {
	for index := int64(0); index < tree.N; index += 1 + tree.N/7 {
		proof, err := tlog.ProveRecord(tree.N, index, hashes)
		if err != nil {
			return err
		}
		leaf, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf[0]); err != nil {
			return err
		}
		old, err := tlog.TreeHash(index+1, hashes)
		if err != nil {
			return err
		}
		growth, err := tlog.ProveTree(tree.N, index+1, hashes)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(growth, tree.N, tree.Hash, index+1, old); err != nil {
			return err
		}
	}
	return nil
}

// parse reads heads: a line `log PARTITION SIZE ROOT` for each partition.
func parse(entry []byte) ([]tlog.Tree, error) {
	var trees []tlog.Tree
	for _, line := range strings.Split(string(entry), "\n") {
		if !strings.HasPrefix(line, "log ") {
			continue
		}
		var partition, size int64
		var root string
		if _, err := fmt.Sscanf(line, "log %d %d %s", &partition, &size, &root); err != nil {
			return nil, err
		}
		hash, err := tlog.ParseHash(root)
		if err != nil || partition != int64(len(trees)) {
			return nil, fmt.Errorf("%q is no head", line)
		}
		trees = append(trees, tlog.Tree{N: size, Hash: hash})
	}
	return trees, nil
}

// prove verifies an `exchange-proof/v1`.
func prove(policy []byte, proof, entry string) error {
	text, err := os.ReadFile(proof)
	if err != nil {
		return err
	}
	leaf, err := os.ReadFile(entry)
	if err != nil {
		return err
	}
	parts := bytes.SplitN(text, []byte("\n\n"), 4)
	if len(parts) != 4 {
		return errors.New("the proof has not four parts")
	}
	tree, err := open(policy, parts[3])
	if err != nil {
		return err
	}
	heads := append(parts[1], '\n')
	over, above, err := path(string(parts[2]), "heads %d")
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(above, tree.N, tree.Hash, over[0], tlog.RecordHash(heads)); err != nil {
		return fmt.Errorf("the heads: %w", err)
	}
	_, rest, _ := strings.Cut(string(parts[0]), "\n")
	at, below, err := path(rest, "log %d %d")
	if err != nil {
		return err
	}
	logs, err := parse(heads)
	if err != nil || at[0] >= int64(len(logs)) {
		return errors.Join(err, errors.New("the heads have no such log"))
	}
	log := logs[at[0]]
	if err := tlog.CheckRecord(below, log.N, log.Hash, at[1], tlog.RecordHash(leaf)); err != nil {
		return fmt.Errorf("the entry: %w", err)
	}
	fmt.Printf("proven: entry %d of journal/%d\n", at[1], at[0])
	return nil
}

// path reads a line of numbers, and below it hashes.
func path(part, format string) ([2]int64, tlog.RecordProof, error) {
	first, rest, _ := strings.Cut(part, "\n")
	var numbers [2]int64
	into := []any{&numbers[0], &numbers[1]}
	if _, err := fmt.Sscanf(first, format, into[:strings.Count(format, "%")]...); err != nil {
		return numbers, nil, err
	}
	var proof tlog.RecordProof
	for _, line := range strings.Fields(rest) {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return numbers, nil, err
		}
		proof = append(proof, hash)
	}
	return numbers, proof, nil
}
