// Chunks of one huge page each, cut into pieces of one size; see pool.hpp.
#include "pool.hpp"

#include <sys/mman.h>

#include <array>
#include <cstdint>
#include <mutex>
#include <new>

namespace rhizome::jsonlogic {
namespace {

constexpr std::size_t kChunk = 2u << 20;
constexpr std::size_t kMostLines = 32;  // larger pieces are rare, and stand alone

struct Chunk {
  Chunk* previous = nullptr;  // among those of its size that have room
  Chunk* next = nullptr;
  void* free = nullptr;    // the pieces that came back, each naming the next
  std::size_t unused = 0;  // where those begin that were never taken
  std::size_t taken = 0;   // pieces
};
static_assert(sizeof(Chunk) <= kLine);

// The chunks of pieces of one size.
class Pieces {
 public:
  void* take(std::size_t size) {
    if (room_ == nullptr) link(grow());
    Chunk& chunk = *room_;
    void* piece = chunk.free;
    if (piece != nullptr) {
      chunk.free = *static_cast<void**>(piece);
    } else {
      piece = reinterpret_cast<char*>(&chunk) + chunk.unused;
      chunk.unused += size;
    }
    ++chunk.taken;
    if (!has_room(chunk, size)) unlink(chunk);
    return piece;
  }
  void give(void* piece, std::size_t size) {
    auto& chunk =
        *reinterpret_cast<Chunk*>(reinterpret_cast<std::uintptr_t>(piece) & ~(kChunk - 1));
    if (!has_room(chunk, size)) link(&chunk);
    *static_cast<void**>(piece) = chunk.free;
    chunk.free = piece;
    // One stays, so that a filter that comes and goes does not make and end a chunk each time.
    if (--chunk.taken != 0 || (room_ == &chunk && chunk.next == nullptr)) return;
    unlink(chunk);
    --chunks_;
    ::operator delete (&chunk, std::align_val_t{kChunk});
  }

 private:
  static bool has_room(const Chunk& chunk, std::size_t size) {
    return chunk.free != nullptr || chunk.unused + size <= kChunk;
  }
  // The first is touched a small page at a time: most nodes hold few filters.
  Chunk* grow() {
    void* const memory = ::operator new (kChunk, std::align_val_t{kChunk});
    if (chunks_++ != 0) (void)::madvise(memory, kChunk, MADV_HUGEPAGE);
    auto* const chunk = new (memory) Chunk;
    chunk->unused = kLine;
    return chunk;
  }
  void link(Chunk* chunk) {
    chunk->previous = nullptr;
    chunk->next = room_;
    if (room_ != nullptr) room_->previous = chunk;
    room_ = chunk;
  }
  void unlink(Chunk& chunk) {
    (chunk.previous != nullptr ? chunk.previous->next : room_) = chunk.next;
    if (chunk.next != nullptr) chunk.next->previous = chunk.previous;
  }

  Chunk* room_ = nullptr;
  std::size_t chunks_ = 0;
};

std::mutex mutex;
std::array<Pieces, kMostLines + 1> sizes;  // guarded by mutex

}  // namespace

void* take_lines(std::size_t lines) {
  if (lines > kMostLines) return ::operator new (lines* kLine, std::align_val_t{kLine});
  const std::lock_guard lock(mutex);
  return sizes[lines].take(lines * kLine);
}

void give_lines(void* memory, std::size_t lines) {
  if (lines > kMostLines) return ::operator delete (memory, std::align_val_t{kLine});
  const std::lock_guard lock(mutex);
  sizes[lines].give(memory, lines * kLine);
}

}  // namespace rhizome::jsonlogic
