// The entries of an append, laid out by its own thread before it queues: all but the places that
// only the commit leader knows (seq, label, source), which the leader then fills in. Private to
// host/journal.
#pragma once

#include <string>
#include <vector>

#include "journal/keys.hpp"
#include "journal/values.hpp"
#include "rhizome/abi/store.h"

namespace rhizome {

class Prepared {
 public:
  // Lays out the entries of the append's deltas, in their order.
  Prepared(const std::vector<DeltaView>& deltas, const keys::IndexHash& hash);

  // The leader: delta `i` stands at `seq` under this header; its entries go to `ops`. They borrow
  // from here. May be done again with another seq.
  void finish(std::size_t i, Seq seq, const values::RecordValue& header,
              std::vector<rz_store_op>& ops);

 private:
  struct Part {
    std::size_t record;     // the record's key, room for its header, its body
    std::size_t body_size;  // signature and claims
    std::size_t first_key;  // in keys_; up to the next part's
    bool is_signed;
    std::uint8_t state;
    std::uint32_t check;
  };
  struct KeyPart {
    std::size_t at, size;
  };
  void add(DeltaView delta, const keys::IndexHash& hash);
  void add_key(const keys::Key& key);

  std::string bytes_;
  std::vector<Part> parts_;
  std::vector<KeyPart> keys_;  // index keys, each ending in its seq; an id's is the part's first
};

}  // namespace rhizome
