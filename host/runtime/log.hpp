// The one logger: an event name and its fields, as text or as a JSON object a line, on stderr.
// Injected where it is used; thread-safe. Keys and other secrets are never logged. Logging never
// waits for who reads the log: lines wait within a bound, and what is dropped beyond it is counted
// and logged once there is room (`log.dropped`).
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
  // Writes lines to a descriptor that stays open: standard error.
  Log(LogLevel level, Format format, int descriptor = 2);
  // Writes lines to `sink`, at once (tests, the simulator).
  Log(LogLevel level, Format format, std::function<void(std::string_view line)> sink);
  ~Log();

  // Writes lines that wait for their reader. To be called now and then: else they wait for the next
  // line.
  void drain();
  struct Stats {
    std::uint64_t dropped = 0;  // lines
    std::uint64_t waiting_bytes = 0;
  };
  Stats stats() const;

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
  void report_drops();
  std::unique_ptr<State> state_;
};

}  // namespace rhizome
