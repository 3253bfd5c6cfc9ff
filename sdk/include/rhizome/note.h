/* The manifest note without CMake: put it into one source file of the plugin, at file scope.
 *
 *   RHIZOME_NOTE("{\"id\": \"me.mine\", \"version\": \"1.0.0\", \"abi\": 1, \"kind\": \"store\","
 *                " \"interfaces\": [\"rhizome.store/1\"]}")
 *
 * rhizome_add_plugin does the same from a JSON file. `readelf -n plugin.so` shows the note. */
#ifndef RHIZOME_NOTE_H_
#define RHIZOME_NOTE_H_

#include "rhizome/abi.h"

/* Header, owner (8 bytes with its NUL), descriptor padded to 4 with the text's own NULs. */
#define RHIZOME_NOTE(json)                                                          \
  __attribute__((section(RZ_NOTE_SECTION), used, aligned(4))) static const struct { \
    uint32_t name_size, descriptor_size, type;                                      \
    char name[sizeof RZ_NOTE_OWNER];                                                \
    char descriptor[(sizeof(json) + 3) / 4 * 4];                                    \
  } rhizome_note = {sizeof RZ_NOTE_OWNER, sizeof(json) - 1, RZ_NOTE_TYPE, RZ_NOTE_OWNER, json};

#endif /* RHIZOME_NOTE_H_ */
