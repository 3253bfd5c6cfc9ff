// The wait for a read's tokens. Private to host/api; thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "api/reading.hpp"
#include "api/waits.hpp"

namespace rhizome::api {

class TokenWait : public std::enable_shared_from_this<TokenWait> {
 public:
  // Calls `done` once the tokens are held, lost or invalidated, the deadline passes, or the wait is
  // canceled; without tokens, before this returns. The book outlives the wait.
  static std::shared_ptr<TokenWait> begin(Waits& waits, ExtentBook& book, const ReadNeeds& needs,
                                          std::function<void()> done);
  void cancel();
  // None while it waits.
  std::optional<Result<TokensRead>> result() const;

 private:
  bool look(ExtentBook& book, const ReadNeeds& needs, bool last);

  mutable std::mutex mutex_;
  std::optional<Result<TokensRead>> result_;  // guarded by mutex_
  Waits::Cancel cancel_;                      // guarded by mutex_
};

}  // namespace rhizome::api
