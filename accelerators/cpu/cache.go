package cpu

// usualCache is a second-level cache as most server cores have at least, for processors that do not tell.
const usualCache = 1 << 20

// blockBytes is three eighths of a core's second-level cache: what passes, and a second thread of the core, have room.
func blockBytes(cache int) int {
	if cache < 64<<10 || cache > 1<<30 { // not what a core has: a virtual machine may say anything
		cache = usualCache
	}
	return cache * 3 / 8
}
