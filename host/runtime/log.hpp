// The one logger: an event name and its fields, as text or as a JSON object a line, on stderr.
// Injected where it is used; thread-safe. Keys and other secrets are never logged.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace rhizome {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };

struct LogField {
  std::string_view key;
  std::string value;
};

class Log {
 public:
  enum class Format : std::uint8_t { kText, kJson };
  // Writes lines to stderr.
  Log(LogLevel level, Format format);
  // Writes lines to `sink` (tests).
  Log(LogLevel level, Format format, std::function<void(std::string_view line)> sink);
  ~Log();

  void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});
  void debug(std::string_view event, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kDebug, event, fields);
  }
  void info(std::string_view event, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kInfo, event, fields);
  }
  void warn(std::string_view event, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kWarn, event, fields);
  }
  void error(std::string_view event, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::kError, event, fields);
  }

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rhizome
