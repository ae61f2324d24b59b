// libFuzzer's one function, from the archive that comes with the compiler, which has no header. Of the two archives the
// one without a `main` is linked: which decoder is fuzzed is an argument here.
#ifndef PATCHBAY_CFUZZER_H
#define PATCHBAY_CFUZZER_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*run)(const uint8_t *bytes, size_t count));

#endif
