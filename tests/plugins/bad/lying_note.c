/* Its note says that it is longer than its segment. */
#include "bad.h"

__attribute__((section(RZ_NOTE_SECTION), used, aligned(4))) static const struct {
  uint32_t name_size, descriptor_size, type;
  char name[8];
  char descriptor[4];
} lying_note = {8, 0x7ffffff0, RZ_NOTE_TYPE, RZ_NOTE_OWNER, "{}"};

BAD_PLUGIN(RZ_ABI_MAJOR, 0, good_get_interface)
