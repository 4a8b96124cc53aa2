// Command workers hashes files with as many goroutines as there are processors.
package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
)

type result struct {
	path string
	sum  [sha256.Size]byte
	err  error
}

func hash(path string) (sum [sha256.Size]byte, err error) {
	file, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer file.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, file); err != nil {
		return sum, fmt.Errorf("reading %s: %w", path, err)
	}
	copy(sum[:], digest.Sum(nil))
	return sum, nil
}

func hashAll(ctx context.Context, paths []string) <-chan result {
	jobs, results := make(chan string), make(chan result)
	var group sync.WaitGroup
	for range runtime.NumCPU() {
		group.Add(1)
		go func() {
			defer group.Done()
			for path := range jobs {
				sum, err := hash(path)
				results <- result{path, sum, err}
			}
		}()
	}
	go func() {
		defer close(results)
		defer group.Wait()
		defer close(jobs)
		for _, path := range paths {
			select {
			case jobs <- path:
			case <-ctx.Done():
				return
			}
		}
	}()
	return results
}

func main() {
	for r := range hashAll(context.Background(), os.Args[1:]) {
		if r.err != nil {
			fmt.Fprintln(os.Stderr, r.err)
			continue
		}
		fmt.Printf("%x  %s\n", r.sum, r.path)
	}
}
