package cpu

// tileGeneric is the product's tile in plain Go: two rows by four columns at a time, which is what fits in the
// registers.
func tileGeneric(k int, a []float32, rowStep, colStep int, b, c []float32, ldc, m, n int, alpha float32, add bool) {
	const width = genericWidth
	for i := 0; i < m; i += 2 {
		a0, a1 := a[i*rowStep:], a[min(i+1, m-1)*rowStep:]
		for j := 0; j < n; j += 4 {
			var sums [2][4]float32
			block2x4(&sums, k, a0, a1, colStep, b[j:], width)
			for r := range min(2, m-i) {
				at := (i+r)*ldc + j
				storeTile(c[at:at+min(4, n-j)], sums[r][:], alpha, add)
			}
		}
	}
}

func block2x4(sums *[2][4]float32, k int, a0, a1 []float32, step int, b []float32, ldb int) {
	var s00, s01, s02, s03, s10, s11, s12, s13 float32
	for p := range k {
		x, y, r := a0[p*step], a1[p*step], b[p*ldb:p*ldb+4]
		s00 += x * r[0]
		s01 += x * r[1]
		s02 += x * r[2]
		s03 += x * r[3]
		s10 += y * r[0]
		s11 += y * r[1]
		s12 += y * r[2]
		s13 += y * r[3]
	}
	sums[0], sums[1] = [4]float32{s00, s01, s02, s03}, [4]float32{s10, s11, s12, s13}
}

func storeTile(c, sums []float32, alpha float32, add bool) {
	for j := range c {
		if add {
			c[j] += alpha * sums[j]
		} else {
			c[j] = alpha * sums[j]
		}
	}
}

func transposeGeneric(dst []float32, ldd int, src []float32, lds, rows, cols int) {
	for i := range rows {
		for j, v := range src[i*lds : i*lds+cols] {
			dst[j*ldd+i] = v
		}
	}
}

func stripsGeneric(dst []float32, step int, src []float32, lds, rows int) {
	for p := range rows {
		for s := range 8 {
			at := p*lds + s*tileRows
			copy(dst[s*step+p*tileRows:], src[at:at+tileRows])
		}
	}
}
