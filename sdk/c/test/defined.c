/* The file with the plugin, whose functions are elsewhere. */
#include <carebot.h>

bool rate(const cb_document *docs, size_t n, cb_rating *out);

CB_PLUGIN(.scores = 1, .score = rate)
