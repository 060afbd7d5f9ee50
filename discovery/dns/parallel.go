package dns

import "sync"

// width is how many questions are under way at once: enough to hide a slow server, few enough not to look like a flood.
const width = 8

// parallel calls do(0) to do(n-1), up to width at a time, and waits for all.
func parallel(n int, do func(i int)) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, width)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			do(i)
		})
	}
	wg.Wait()
}
