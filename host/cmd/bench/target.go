package main

// A target is a row of the table of figures: the work and the least that it should reach.
type target struct{ work, atLeast string }

const (
	workSGEMM      = "SGEMM over the transformer shapes, 1 and 2 threads"
	workBF16       = "bf16 products, same shapes"
	workGPT2       = "whole step GPT-2 124M"
	workAttention  = "attention forward and backward, T=256 to 4096, d=64"
	workOverhead   = "engine's own overhead over its kernels"
	workBandwidth  = "element-wise and norm kernels beyond the cache"
	workGrowth     = "step time and memory from T=2k to 16k, attention apart"
	workThreads    = "threads 1 to 2, step of the 134M model"
	workPeak       = "share of f32 peak, step of the 134M model, f32"
	workPeakBF16   = "share of f32 peak, step of the 134M model, bf16"
	workGeneration = "generation with KV cache, batch 1 and 16"
	workLlamaCpp   = "generation of a 0.5B shape"
	workLoading    = "loading a model of 1 GB, f32, bf16 and f16"
	workScoring    = "scoring by an encoder of bge-m3's shape"
	workEncoding   = "encoding by tokenizers, a core and all cores"
	workCurves     = "loss with bf16 products beside f32"
)

// targets are the rows in the order of the page. Those of whole steps are made from the models.
func targets() []target {
	rows := []target{
		{workSGEMM, "1.02 of OpenBLAS, no shape under 0.9"},
		{workBF16, "1.9 of our SGEMM"},
	}
	for _, m := range stepModels {
		rows = append(rows,
			target{m.work("f32"), number(m.leastF32) + " of PyTorch f32"},
			target{m.work("bf16"), m.bf16Target()})
	}
	return append(rows,
		target{workGPT2, "5 of llm.c"},
		target{workPeak, "80 %"},
		target{workPeakBF16, "150 %"},
		target{workAttention, "1.3 of PyTorch's scaled_dot_product_attention at each T"},
		target{workOverhead, "at most 3 % of a step"},
		target{workBandwidth, "85 % of the STREAM triad"},
		target{workGrowth, "linear"},
		target{workThreads, "1.85"},
		target{workGeneration, "80 % of the bandwidth or compute bound"},
		target{workLlamaCpp, "0.8 of llama.cpp"},
		target{workLoading, "at most 1.5 of reading the file"},
		target{workScoring, "1 of transformers, f32 and bf16"},
		target{workEncoding, "1 of Hugging Face's tokenizers"},
		target{workCurves, "shown"})
}
