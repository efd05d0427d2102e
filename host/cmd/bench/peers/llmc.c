// Runs training steps of GPT-2 with llm.c's train_gpt2.c, which the compiler finds in a checkout of llm.c. Answers each
// line of input with the time of as many steps as its "reps" asks for.
#include "train_gpt2.c"

static double seconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

// Weights small and different, as after initialisation; the padding of the vocabulary included.
static void build(GPT2 *model, char **arg, int length) {
    memset(model, 0, sizeof *model);
    int vocab = atoi(arg[3]);
    model->config = (GPT2Config){
        .max_seq_len = length, .vocab_size = vocab, .padded_vocab_size = (vocab + 127) / 128 * 128,
        .num_layers = atoi(arg[0]), .num_heads = atoi(arg[2]), .channels = atoi(arg[1])};
    fill_in_parameter_sizes(model->param_sizes, model->config);
    for (int i = 0; i < NUM_PARAMETER_TENSORS; i++) model->num_parameters += model->param_sizes[i];
    model->params_memory = malloc_and_point_parameters(&model->params, model->param_sizes);
    for (size_t i = 0; i < model->num_parameters; i++) model->params_memory[i] = 0.04f * rand() / RAND_MAX - 0.02f;
    model->mean_loss = -1.0f;
}

int main(int argc, char **argv) {
    if (argc != 8) return 2;
    int length = atoi(argv[6]), batch = atoi(argv[7]), n = batch * length, step = 0;
    GPT2 model;
    build(&model, argv + 2, length);
    int *ids = malloc(2 * n * sizeof(int));
    for (int i = 0; i < 2 * n; i++) ids[i] = rand() % model.config.vocab_size;
    FILE *answers = fdopen(dup(STDOUT_FILENO), "w"); // llm.c prints to its output: let that go elsewhere
    dup2(STDERR_FILENO, STDOUT_FILENO);
    char line[1024];
    while (fgets(line, sizeof line, stdin)) {
        if (strstr(line, "\"about\"")) {
            fprintf(answers, "{\"text\": \"llm.c with %s -Ofast -fopenmp -march=native\"}\n", argv[1]);
        } else {
            char *reps = strstr(line, "\"reps\":");
            double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);
            for (int i = 0; i < atoi(reps + 7); i++) {
                gpt2_forward(&model, ids, ids + n, batch, length);
                gpt2_zero_grad(&model);
                gpt2_backward(&model);
                gpt2_update(&model, 1e-4f, 0.9f, 0.95f, 1e-8f, 0.1f, ++step);
            }
            cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
            fprintf(answers, "{\"wall\": %.9f, \"cpu\": %.9f}\n", seconds(CLOCK_MONOTONIC) - wall, cpu);
        }
        fflush(answers);
    }
    return 0;
}
