// One batch between the door's steps. Private to host/admission; owned by the caller's thread.
#pragma once

#include <unordered_map>

#include "admission/admission.hpp"

namespace rhizome {

// One batch on its way through the door.
struct Admission::Work {
  static constexpr std::size_t kNoItem = SIZE_MAX;
  struct Item {
    std::size_t arrival;                          // its place in the batch
    Journal::Held held;                           // as the journal has it
    std::uint32_t state = RZ_SIGNATURE_UNSIGNED;  // what it has earned here
    bool check = false;                           // its signature is to be looked at
    bool append = false, upgrade = false;
    // The held manifest that covers it; zero: none, or one of this batch.
    DeltaId covered_by{};
  };
  DeltaBatch deltas;         // decoded, one an item
  std::vector<Item> items;   // distinct ids
  std::vector<DeltaId> ids;  // of the items
  std::unordered_map<DeltaId, std::size_t> item_of;
  std::vector<std::size_t> items_of_arrivals;  // kNoItem where malformed
  DeltaBatch held_members;                     // held deltas that a manifest of this batch covers
  Append append;
  Admitted result;
};

}  // namespace rhizome
