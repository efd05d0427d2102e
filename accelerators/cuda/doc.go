// Package cuda is the device for NVIDIA GPUs of compute capability 8.0 and later, through gorgonia.org/cu. It is in
// binaries that are built with the tag cuda; these start on any machine, and find out there whether a driver and a
// device are to be had.
//
// Kernels are the .cu files of the folder kernels, compiled beforehand (package images). The folder emulator makes a
// driver of the same files that runs on the processor, for tests where there is no GPU.
package cuda
