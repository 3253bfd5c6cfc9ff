/* rhizome.config/1: optional, for a plugin of any kind: checks a config beyond its JSON Schema.
 *
 * A schema cannot say that an address has a port or that one number is at least three times
 * another. Without this table such a mistake is found by `open`, when the node is half started;
 * with it `rhizome config check`, `doctor` and `run` find it alike, each problem with its place in
 * the file. There is no instance: the host asks before anything is opened, also where it opens
 * nothing.
 *
 * The check is quick and pure. What only the disk or the network can say (a directory that cannot
 * be written, an address in use, a name that does not resolve) stays with `open` and `start`: a
 * config must not be right on one day and wrong on the next. */
#ifndef RHIZOME_ABI_CONFIG_H_
#define RHIZOME_ABI_CONFIG_H_

#include "rhizome/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RZ_CONFIG_ID "rhizome.config/1"

/* One thing that is wrong. All texts are UTF-8 and borrowed for the call. */
typedef struct rz_config_problem {
  rz_bytes path;     /* JSON Pointer (RFC 6901) of the value in the config; empty: the whole */
  rz_bytes expected; /* for people: "tcp://HOST:PORT" */
  rz_bytes found;    /* for people: "tcp://127.0.0.1" */
} rz_config_problem;

/* Takes problems. A result other than RZ_OK stops the check, which returns it. */
typedef struct rz_config_problems {
  void* context;
  int32_t (*problem)(void* context, const rz_config_problem* problem); /* [owner] [quick] */
} rz_config_problems;

typedef struct rz_config {
  /* `config` is what `open` would be given: JSON that fits the manifest's schema, its defaults
   * filled in. One call of the sink for each problem; none: `open` takes it. RZ_OK where the check
   * was done, whatever it found. Opens nothing, looks nothing up. [any] [quick] */
  int32_t (*check)(rz_bytes config, const rz_config_problems* problems, rz_error* error);
} rz_config;

#ifdef __cplusplus
}
#endif

#endif /* RHIZOME_ABI_CONFIG_H_ */
