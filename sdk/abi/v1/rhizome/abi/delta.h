/* The flat delta: one decoded delta as one relocatable block of memory.
 *
 * A delta is decoded once, when it arrives, into this form; filters, resolvers and functions read
 * it and no document tree is ever built. Every place in it is an offset from the block's first
 * byte, so that a block can be copied, mapped or shared between processes as it is:
 *
 *   rz_delta | rz_pointer[pointer_count] | canonical claims (CBOR, SPEC-1 4.1) | zero padding to 8
 *
 * All text is UTF-8 inside the claims bytes, not NUL-ended. Blocks are 8-byte aligned.
 *
 * Room to grow: a later host of the same ABI major may append members to rz_delta and rz_pointer.
 * Whoever writes a block says in `header_size` and `pointer_stride` how large its structs are, and
 * whoever reads one finds the pointers by these two alone (rz_delta_pointer below), never by
 * sizeof. A reader that knows fewer members than the writer does not see the new ones; one that
 * knows more looks at the two sizes before it reads a member that an older writer did not have. */
#ifndef RHIZOME_ABI_DELTA_H_
#define RHIZOME_ABI_DELTA_H_

#include "rhizome/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RZ_DELTA_ID_SIZE 34u        /* multihash 0x1e 0x20 + BLAKE3-256 of the claims */
#define RZ_DELTA_SIGNATURE_SIZE 64u /* Ed25519 over the 34 id bytes */

/* Protocol constants: a delta over one of these is invalid everywhere, whatever a node's config. */
#define RZ_DELTA_MAX_SIZE 1048576u /* bytes of canonical claims */
#define RZ_DELTA_MAX_POINTERS 4096u
#define RZ_DELTA_MAX_TEXT 65536u /* author, role, entity id, context, mime: bytes */

/* What a pointer targets. */
#define RZ_TARGET_STRING 1u
#define RZ_TARGET_NUMBER 2u
#define RZ_TARGET_BOOLEAN 3u
#define RZ_TARGET_ENTITY 4u
#define RZ_TARGET_DELTA 5u
#define RZ_TARGET_BYTES 6u

/* What this node knows about who stands behind a delta. Not part of the delta. */
#define RZ_SIGNATURE_UNSIGNED 0u  /* no signature came with it and no manifest covers it */
#define RZ_SIGNATURE_UNCHECKED 1u /* a signature came with it and has not been looked at */
#define RZ_SIGNATURE_VERIFIED 2u  /* the author's own signature, or its author's signed manifest */
#define RZ_SIGNATURE_VOUCHED 3u   /* covered by a manifest that somebody else signed */
#define RZ_SIGNATURE_INVALID 4u   /* the signature is wrong */

/* One pointer of a delta. Members that the kind does not have are 0. */
typedef struct rz_pointer {
  double number; /* RZ_TARGET_NUMBER: the value; RZ_TARGET_BOOLEAN: 0 or 1; else 0 */
  uint32_t role_offset, role_size;
  uint32_t target_offset, target_size;   /* string text, entity id, delta id text (hex), or bytes */
  uint32_t context_offset, context_size; /* entity or delta: context; bytes: mime; size 0: none */
  uint32_t kind;                         /* RZ_TARGET_* */
  uint32_t reserved;                     /* 0 */
} rz_pointer;

typedef struct rz_delta {
  uint32_t block_size; /* of the whole block, a multiple of 8 */
  uint32_t pointer_count;
  uint32_t claims_offset, claims_size;
  uint32_t author_offset, author_size;
  double timestamp;        /* milliseconds since the Unix epoch, as its author claims */
  uint8_t id[34];          /* RZ_DELTA_ID_SIZE raw bytes */
  uint8_t signature_state; /* RZ_SIGNATURE_* */
  uint8_t reserved;        /* 0 */
  uint16_t header_size;    /* where the first pointer stands: the writer's sizeof(rz_delta) */
  uint16_t pointer_stride; /* from one pointer to the next: the writer's sizeof(rz_pointer) */
  uint8_t signature[64];   /* zero where there is none */
} rz_delta;

/* The index-th pointer, index < pointer_count. Both sizes are multiples of 8, the header at least
 * 136 bytes and the stride at least 40: what ABI 1 began with. */
static inline const rz_pointer* rz_delta_pointer(const rz_delta* delta, uint32_t index) {
  return (const rz_pointer*)((const uint8_t*)delta + delta->header_size +
                             (uint64_t)delta->pointer_stride * index);
}

/* `size` bytes of the block at `offset`: the text or the bytes that a pair of members names. */
static inline rz_bytes rz_delta_at(const rz_delta* delta, uint32_t offset, uint32_t size) {
  rz_bytes bytes = {(const uint8_t*)delta + offset, size};
  return bytes;
}

#ifdef __cplusplus
}
#endif

#endif /* RHIZOME_ABI_DELTA_H_ */
