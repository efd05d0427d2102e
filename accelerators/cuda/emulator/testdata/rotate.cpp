// Runs the kernel that the argument names and tells whether it rotates.
#include "check.h"

int main(int, char **arguments) {
	enum { BLOCKS = 4, THREADS = 128, N = BLOCKS * THREADS };
	open_context();
	std::vector<float> in(N);
	for (int i = 0; i < N; i++) in[i] = 1 + i;
	CUdeviceptr from = upload(in), to = upload(std::vector<float>(N));
	CUfunction f = function(arguments[1]);
	CUresult code = launch(f, BLOCKS, THREADS, THREADS * sizeof(float), nullptr, to, from);
	if (code) {
		printf("the launch answers %d\n", code);
		ANSWER(code, cuMemFree(to)); // the device is lost
		return 2;
	}
	std::vector<float> out = download<float>(to, N);
	for (int i = 0; i < N; i++)
		if (out[i] != in[i / THREADS * THREADS + (i + 1) % THREADS]) fail("a wrong value", i);
}
