// Errors are values: Status (a code and a message) and Result<T>. No exception crosses a component.
// The codes are the ABI's (rhizome/abi.h), so that one error keeps its name from a plugin to the
// user.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "rhizome/abi.h"

namespace rhizome {

enum class Code : std::int32_t {
  kOk = RZ_OK,
  kInvalid = RZ_INVALID,
  kNotFound = RZ_NOT_FOUND,
  kEnd = RZ_END,
  kWouldBlock = RZ_WOULD_BLOCK,
  kBusy = RZ_BUSY,
  kLimit = RZ_LIMIT,
  kDenied = RZ_DENIED,
  kCorrupt = RZ_CORRUPT,
  kIo = RZ_IO,
  kNoSpace = RZ_NO_SPACE,
  kReadOnly = RZ_READ_ONLY,
  kClosed = RZ_CLOSED,
  kDeadline = RZ_DEADLINE,
  kUnsupported = RZ_UNSUPPORTED,
  kInternal = RZ_INTERNAL,
  kAway = RZ_AWAY,
  kCanceled = RZ_CANCELED,
};

// The stable name of a code, as it stands in logs and JSON: "not_found".
constexpr std::string_view code_name(Code code) {
  constexpr std::string_view kNames[] = {
      "ok",     "invalid",  "not_found",   "end",      "would_block", "busy",
      "limit",  "denied",   "corrupt",     "io",       "no_space",    "read_only",
      "closed", "deadline", "unsupported", "internal", "away",        "canceled"};
  const auto index = static_cast<std::size_t>(code);
  return index < std::size(kNames) ? kNames[index] : "unknown";
}

// The code of an ABI call. One that this version does not know is kInternal.
constexpr Code code_from_abi(std::int32_t code) {
  return code >= RZ_OK && code <= RZ_CANCELED ? static_cast<Code>(code) : Code::kInternal;
}

// One word when all is well (no allocation); a heap block with the message when not.
class [[nodiscard]] Status {
 public:
  Status() = default;  // OK
  // REQUIRES: code is not kOk. The message names what, where, expected, found and fix.
  // `position`: 1 + the place in the input that the failure is about, in bytes; 0: none.
  Status(Code code, std::string message, std::uint64_t position = 0)
      : failure_(std::make_unique<Failure>(Failure{code, std::move(message), position})) {}
  Status(const Status& other)
      : failure_(other.failure_ ? std::make_unique<Failure>(*other.failure_) : nullptr) {}
  Status(Status&&) noexcept = default;
  Status& operator=(const Status& other) {
    if (this != &other) *this = Status(other);
    return *this;
  }
  Status& operator=(Status&&) noexcept = default;
  ~Status() = default;

  // From an ABI call's result and its error block.
  static Status from_abi(std::int32_t code, const rz_error& error) {
    if (code == RZ_OK) return {};
    const auto* const end =
        static_cast<const char*>(std::memchr(error.message, '\0', sizeof error.message));
    const std::size_t size =
        end != nullptr ? static_cast<std::size_t>(end - error.message) : sizeof error.message;
    return {code_from_abi(code), std::string(error.message, size), error.position};
  }

  bool ok() const { return failure_ == nullptr; }
  explicit operator bool() const { return ok(); }
  Code code() const { return failure_ ? failure_->code : Code::kOk; }
  const std::string& message() const {
    static const std::string kNone;
    return failure_ ? failure_->message : kNone;
  }
  std::uint64_t position() const { return failure_ ? failure_->position : 0; }
  // The same failure with what was being done in front: "opening store: <message>".
  Status with_context(std::string_view doing) && {
    if (failure_) failure_->message.insert(0, std::string(doing) + ": ");
    return std::move(*this);
  }
  // "not_found: no entity 'x'"
  std::string to_string() const {
    if (ok()) return "ok";
    return std::string(code_name(code())) + ": " + message();
  }

 private:
  struct Failure {
    Code code;
    std::string message;
    std::uint64_t position;
  };
  std::unique_ptr<Failure> failure_;
};

// A value or the reason why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Status& status() const& { return status_; }
  Status&& status() && { return std::move(status_); }
  Code code() const { return status_.code(); }
  // REQUIRES: ok()
  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return std::move(*value_); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return std::move(*value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

// Returns the status of `expr` from the enclosing function when it failed.
#define RZ_TRY(expr)                                                                \
  do {                                                                              \
    if (::rhizome::Status rz_status_ = (expr); !rz_status_.ok()) return rz_status_; \
  } while (false)

}  // namespace rhizome
