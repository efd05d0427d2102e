package acceltest

// testPeak: a device tells what it can do, the same each time.
func testPeak(r *rig) {
	p := r.dev.Peak()
	if p.F32 <= 0 || p.BF16 <= 0 || p.Bandwidth <= 0 {
		r.t.Errorf("peak %+v", p)
	}
	if again := r.dev.Peak(); again != p {
		r.t.Errorf("peak %+v, then %+v", p, again)
	}
}
