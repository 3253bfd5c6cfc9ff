/* What the bad plugins share: a mark of what of them ran, and the parts that are not bad. Each
 * source beside this one is wrong in the one way that its name says. */
#ifndef BAD_H_
#define BAD_H_

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rhizome/abi.h"

#define EXPORTED __attribute__((visibility("default"), unused))
#define UNUSED __attribute__((unused))

/* Adds a word to the file that the test names. */
static UNUSED void mark(const char* what) {
  const char* path = getenv("RHIZOME_BAD_PLUGIN_RAN");
  FILE* file = path ? fopen(path, "a") : NULL;
  if (!file) return;
  fprintf(file, "%s ", what);
  fclose(file);
}

__attribute__((constructor)) static void constructed(void) { mark("constructor"); }

static UNUSED const void* good_get_interface(const char* id) {
  static const int32_t table = 0;
  mark("get_interface");
  return strcmp(id, "bad.nothing/1") == 0 ? &table : NULL;
}

#ifdef __cplusplus
#define BAD_PLUGIN(...)                                                         \
  extern "C" {                                                                  \
  extern __attribute__((visibility("default"))) const rz_plugin rhizome_plugin; \
  }                                                                             \
  const rz_plugin rhizome_plugin = {__VA_ARGS__};
#else
#define BAD_PLUGIN(...) EXPORTED const rz_plugin rhizome_plugin = {__VA_ARGS__};
#endif

#endif /* BAD_H_ */
