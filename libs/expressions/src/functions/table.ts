/** One form of a function, for autocomplete. */
export interface FunctionDescription {
  /** As it is called: `size`, `string.contains` for a method, `math.round`. */
  readonly name: string;
  readonly signature: string;
  readonly description: string;
  readonly example: string;
  /** What the example gives. */
  readonly result: unknown;
}

/** Signature | what it does | example | what that gives. Methods begin with the type they belong to. */
const TABLE = String.raw`
has(field) → bool | Whether a field, or a variable, is there and not null. | has({"a": 1}.b) | false
default(value, otherwise) → value | The value, or another when it is missing or null. | default({"a": 1}.b, 2) | 2
dyn(value) → dyn | The value with its type left open: dyn(null) may stand beside any type. | dyn(1) | 1
type(value) → type | The type of a value, to compare with string, int, double, … | type(1) == int | true
cel.bind(name, value, expression) → value | Gives a value a name inside an expression. | cel.bind(x, 2, x * x) | 4
list.all(name, condition) → bool | Whether all elements meet a condition. | [1, 2].all(n, n > 0) | true
list.exists(name, condition) → bool | Whether an element meets a condition. | [1, 2].exists(n, n > 1) | true
list.exists_one(name, condition) → bool | Whether exactly one element meets a condition. | [1, 2].exists_one(n, n > 1) | true
list.filter(name, condition) → list | The elements that meet a condition. | [1, 2].filter(n, n > 1) | [2]
list.map(name, value) → list | What an expression gives for each element. | [1, 2].map(n, n * 2) | [2, 4]
list.map(name, condition, value) → list | The same for those that meet a condition. | [1, 2].map(n, n > 1, n * 2) | [4]
size(string) → int | How many characters a text has. | size("añ") | 2
size(list) → int | How many elements a list has. | size([1, 2]) | 2
size(map) → int | How many members a map has. | size({"a": 1}) | 1
size(bytes) → int | How many bytes there are. | size(b"ab") | 2
string.size() → int | How many characters a text has. | "añ".size() | 2
list.size() → int | How many elements a list has. | [1, 2].size() | 2
map.size() → int | How many members a map has. | {"a": 1}.size() | 1
list.first() → element | The first element. | ["a", "b"].first() | "a"
list.last() → element | The last element. | ["a", "b"].last() | "b"
list.slice(int, int) → list | The elements from one position to before another. | [1, 2, 3].slice(0, 2) | [1, 2]
list.reverse() → list | The elements in reverse. | [1, 2].reverse() | [2, 1]
list.sort() → list | The elements in order: numbers, texts, times or truth values. | [2, 1].sort() | [1, 2]
list.distinct() → list | Each element once. | ["a", "a"].distinct() | ["a"]
list.sum() → number | The sum of numbers; 0 of none. | [1, 2].sum() | 3
list.min() → element | The smallest element. | [2, 1].min() | 1
list.max() → element | The biggest element. | [2, 1].max() | 2
list.join() → string | Texts one after the other. | ["a", "b"].join() | "ab"
list.join(string) → string | Texts with another between them. | ["a", "b"].join(", ") | "a, b"
string.contains(string) → bool | Whether a text holds another. | "shop".contains("ho") | true
string.startsWith(string) → bool | Whether a text begins with another. | "shop".startsWith("sh") | true
string.endsWith(string) → bool | Whether a text ends with another. | "shop".endsWith("op") | true
string.matches(string) → bool | Whether an RE2 pattern is found in a text. | "a1".matches("^[a-z][0-9]$") | true
matches(string, string) → bool | Whether an RE2 pattern is found in a text. | matches("a1", "[0-9]") | true
string.indexOf(string) → int | Where a text first occurs, or -1. | "abab".indexOf("b") | 1
string.indexOf(string, int) → int | The same from a position on. | "abab".indexOf("b", 2) | 3
string.lastIndexOf(string) → int | Where a text last occurs, or -1. | "abab".lastIndexOf("b") | 3
string.lastIndexOf(string, int) → int | The same up to a position. | "abab".lastIndexOf("b", 2) | 1
string.charAt(int) → string | The character at a position. | "abc".charAt(1) | "b"
string.substring(int) → string | The text from a position on. | "abc".substring(1) | "bc"
string.substring(int, int) → string | The text from one position to before another. | "abc".substring(0, 2) | "ab"
string.replace(string, string) → string | The text with another in place of one. | "a-b-c".replace("-", "+") | "a+b+c"
string.replace(string, string, int) → string | The same, so many times at most. | "a-b-c".replace("-", "+", 1) | "a+b-c"
string.split(string) → list<string> | The parts between a text. | "a,b".split(",") | ["a", "b"]
string.split(string, int) → list<string> | The same, so many parts at most. | "a,b,c".split(",", 2) | ["a", "b,c"]
string.trim() → string | The text without white space at its ends. | " a ".trim() | "a"
string.lowerAscii() → string | A to Z in lower case. | "AbC".lowerAscii() | "abc"
string.upperAscii() → string | a to z in upper case. | "AbC".upperAscii() | "ABC"
string.reverse() → string | The characters in reverse. | "abc".reverse() | "cba"
string.format(list) → string | Values put into a text: %s any, %d whole, %.2f, %e, %b, %o, %x. | "%s: %.1f".format(["a", 1.25]) | "a: 1.2"
string(value) → string | A value as text. | string(1.5) | "1.5"
int(value) → int | A whole number from a number, text or time (seconds since 1970). | int("12") | 12
uint(value) → uint | A whole number without sign. | uint(12) | 12
double(value) → double | A number with a fraction from a number or text. | double("1.5") | 1.5
bool(value) → bool | Truth from the texts true and false. | bool("true") | true
bytes(string) → bytes | The text in UTF-8. | bytes("ñ").size() | 2
math.greatest(number, …) → number | The greatest of up to eight numbers, or of a list. | math.greatest(1, 3, 2) | 3
math.least(number, …) → number | The least of up to eight numbers, or of a list. | math.least([1, 3, 2]) | 1
math.round(number) → number | To the nearest whole, halves away from zero. | math.round(2.5) | 3
math.round(double, int) → double | To so many digits after the point. | math.round(2.345, 1) | 2.3
math.floor(number) → number | Down to a whole. | math.floor(2.5) | 2
math.ceil(number) → number | Up to a whole. | math.ceil(2.5) | 3
math.trunc(number) → number | Without its fraction. | math.trunc(-2.5) | -2
math.abs(number) → number | Without its sign. | math.abs(-2) | 2
math.sign(number) → number | -1, 0 or 1. | math.sign(-2) | -1
math.isNaN(double) → bool | Whether it is no number, as after 0.0 / 0.0. | math.isNaN(0.0 / 0.0) | true
math.isInf(double) → bool | Whether it is infinite. | math.isInf(1.0 / 0.0) | true
math.isFinite(double) → bool | Whether it is neither. | math.isFinite(1.0) | true
timestamp(value) → timestamp | A time from RFC 3339, or from seconds since 1970. | timestamp("2024-05-01T10:00:00+02:00") | "2024-05-01T08:00:00Z"
date(string) → timestamp | Midnight UTC of a day, YYYY-MM-DD. | date("2024-05-01") | "2024-05-01T00:00:00Z"
duration(string) → duration | A span of hours, minutes and seconds. | duration("1h30m") | "5400s"
timestamp.strftime(string) → string | A time in a form: %Y %m %d %H %M %S %B %A %F %T, in UTC. | date("2024-05-01").strftime("%d.%m.%Y") | "01.05.2024"
timestamp.strftime(string, string) → string | The same in a time zone. | timestamp("2024-05-01T00:00:00Z").strftime("%H:%M", "Europe/Berlin") | "02:00"
timestamp.getFullYear() → int | The year. | date("2024-05-01").getFullYear() | 2024
timestamp.getMonth() → int | The month, from 0. | date("2024-05-01").getMonth() | 4
timestamp.getDate() → int | The day of the month, from 1. | date("2024-05-01").getDate() | 1
timestamp.getDayOfMonth() → int | The day of the month, from 0. | date("2024-05-01").getDayOfMonth() | 0
timestamp.getDayOfWeek() → int | The day of the week, Sunday is 0. | date("2024-05-01").getDayOfWeek() | 3
timestamp.getDayOfYear() → int | The day of the year, from 0. | date("2024-02-01").getDayOfYear() | 31
timestamp.getHours() → int | The hour. All parts of a time also take a zone. | date("2024-05-01").getHours("+05:30") | 5
timestamp.getMinutes() → int | The minute. | date("2024-05-01").getMinutes("+05:30") | 30
timestamp.getSeconds() → int | The second. | date("2024-05-01").getSeconds() | 0
timestamp.getMilliseconds() → int | The millisecond. | date("2024-05-01").getMilliseconds() | 0
duration.getHours() → int | Whole hours. | duration("90m").getHours() | 1
duration.getMinutes() → int | Whole minutes. | duration("90m").getMinutes() | 90
duration.getSeconds() → int | Whole seconds. | duration("90m").getSeconds() | 5400
duration.getMilliseconds() → int | Milliseconds beside whole seconds. | duration("1.5s").getMilliseconds() | 500
optional.orValue(value) → value | What an optional such as a.?b holds, or another value. | {"a": 1}.?b.orValue(2) | 2
optional.hasValue() → bool | Whether an optional holds something. | {"a": 1}.?a.hasValue() | true
`;

/** Every function an expression may use, in the order of the table. */
export const functions: readonly FunctionDescription[] = TABLE.trim()
  .split('\n')
  .map((line) => {
    const [signature = '', description = '', example = '', result = ''] = line.split(' | ');
    const name = signature.slice(0, signature.indexOf('('));
    return { name, signature, description, example, result: JSON.parse(result) as unknown };
  });
