package cpu

import "github.com/carebot-llm/carebot/accelerators"

var adamTest = accelerators.AdamW{LR: 1e-3, Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, GradScale: 1, Step: 10}
