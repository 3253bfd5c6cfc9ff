// One look per change, its result kept for the operation that waits.
#include "api/token_wait.hpp"

namespace rhizome::api {

std::shared_ptr<TokenWait> TokenWait::begin(Waits& waits, ExtentBook& book, const ReadNeeds& needs,
                                            std::function<void()> done) {
  auto wait = std::make_shared<TokenWait>();
  // The operation owns the wait: where the operation is gone, nothing is looked at.
  auto cancel = waits.wait(needs.deadline_ms, [weak = std::weak_ptr(wait), &book, needs,
                                               done = std::move(done)](bool last) {
    const auto self = weak.lock();
    if (self == nullptr) return true;
    if (!self->look(book, needs, last)) return false;
    if (done) done();
    return true;
  });
  const std::lock_guard lock(wait->mutex_);
  wait->cancel_ = std::move(cancel);
  return wait;
}

bool TokenWait::look(ExtentBook& book, const ReadNeeds& needs, bool last) {
  bool pending = false;
  Result<TokensRead> read = look_at_tokens(needs, book, pending);
  if (read.ok() && pending && !last) return false;
  const std::lock_guard lock(mutex_);
  result_ = std::move(read);
  return true;
}

void TokenWait::cancel() {
  Waits::Cancel cancel;
  {
    const std::lock_guard lock(mutex_);
    if (result_) return;
    cancel = cancel_;
  }
  if (cancel) cancel();
}

std::optional<Result<TokensRead>> TokenWait::result() const {
  const std::lock_guard lock(mutex_);
  return result_;
}

}  // namespace rhizome::api
