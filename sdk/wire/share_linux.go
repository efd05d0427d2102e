package wire

import "syscall"

// mapped maps memory that is open under a descriptor, nil when it cannot be.
func mapped(descriptor, size int) []byte {
	memory, err := syscall.Mmap(descriptor, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil
	}
	return memory
}
