// The plugins that a simulation runs on, loaded once a process, and small helps for its parts.
// Private to tests/simulation; the test's thread.
#pragma once

#include <stdexcept>
#include <utility>

#include "journal/journal.hpp"
#include "rhizome/testing/inproc_control.h"
#include "rhizome/use/filter.hpp"
#include "rhizome/use/store.hpp"
#include "rhizome/use/transport.hpp"
#include "runtime/executor.hpp"

namespace rhizome::simulation {

const rz_store* store_table();
const rz_transport* transport_table();
const rz_inproc_control* control_table();
const use::FilterLanguage& json_logic();  // one instance; it asks its host for nothing

// The key of the node with this index: the same in every run.
SigningKey key_of(std::size_t index);

// A test has nobody to hand an error to.
template <typename T>
T must(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().to_string());
  return std::move(*result);
}
inline void must(const Status& status) {
  if (!status.ok()) throw std::runtime_error(status.to_string());
}

}  // namespace rhizome::simulation
