// A guest for the tests and benchmarks, built by
// clang-19 --target=wasm32 -O2 -mbulk-memory -nostdlib -Wl,--no-entry,--strip-all,--stack-first -o guest.wasm guest.c
typedef unsigned char u8;
typedef unsigned int u32;

#define EXPORT(name) __attribute__((export_name(#name)))

static u8 text[1 << 16];
static u32 slots[4096];

EXPORT(buffer) u8 *buffer(void) { return text; }

static u32 hash(const u8 *p, u32 n) {
  u32 h = 2166136261u;
  for (u32 i = 0; i < n; i++)
    h = (h ^ p[i]) * 16777619u;
  return h;
}

// words counts the different words.
EXPORT(words) u32 words(u32 n) {
  u32 found = 0, at = 0;
  __builtin_memset(slots, 0, sizeof slots);
  while (at < n) {
    while (at < n && text[at] <= ' ')
      at++;
    u32 start = at;
    while (at < n && text[at] > ' ')
      at++;
    if (at == start)
      break;
    u32 h = hash(text + start, at - start) | 1, slot = h & 4095;
    while (slots[slot] && slots[slot] != h)
      slot = (slot + 1) & 4095;
    found += !slots[slot];
    slots[slot] = h;
  }
  return found;
}

static int before(u8 a, u8 b) { return a < b; }
static int after(u8 a, u8 b) { return a > b; }
static int (*volatile orders[])(u8, u8) = {before, after};

// sort puts the bytes in order, by a comparison that is called through the table.
EXPORT(sort) u32 sort(u32 n, u32 order) {
  int (*less)(u8, u8) = orders[order & 1];
  for (u32 gap = n / 2; gap; gap /= 2)
    for (u32 i = gap; i < n; i++) {
      u8 v = text[i];
      u32 j = i;
      for (; j >= gap && less(v, text[j - gap]); j -= gap)
        text[j] = text[j - gap];
      text[j] = v;
    }
  return hash(text, n);
}

EXPORT(fibonacci) u32 fibonacci(u32 n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

// letters looks at UTF-8.
EXPORT(letters) u32 letters(u32 n) {
  u32 count = 0;
  for (u32 i = 0; i < n;) {
    u8 b = text[i];
    switch (b >> 4) {
    case 12: case 13: i += 2; count++; break;
    case 14: i += 3; count++; break;
    case 15: i += 4; break;
    default: i++; count += (u8)((b | 32) - 'a') < 26;
    }
  }
  return count;
}

EXPORT(matrix) float matrix(u32 n) {
  static float a[64][64], b[64][64];
  float sum = 0;
  for (u32 i = 0; i < n; i++)
    for (u32 j = 0; j < n; j++)
      a[i][j] = text[i * n + j], b[i][j] = text[j * n + i];
  for (u32 i = 0; i < n; i++)
    for (u32 j = 0; j < n; j++)
      for (u32 k = 0; k < n; k++)
        sum += a[i][k] * b[k][j];
  return sum;
}

// copy moves bytes in bulk.
EXPORT(copy) u32 copy(u32 n) {
  __builtin_memmove(text + 1, text, n);
  return text[n];
}
