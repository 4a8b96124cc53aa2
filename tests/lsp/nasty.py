"""Texts in which columns are difficult to count."""

NASTY = {
    "emoji": "def 🚀(a, b):\n    return '👩‍👩‍👧' + a  # 🎉 done\n",
    "combining": "cafe\u0301 = 'n\u0303andu\u0301'\nprint(cafe\u0301, e\u0301)\n",
    "surrogate pairs": "𝔸 = 𝔹 + '𝕏𝕐' # 𝒵\nvalue = 𝔸\n",
    "CRLF": "if a:\r\n    b = 1\r\n\r\n    c = b\r\n",
    "lone CR": "a = 1\rb = a\r\rc = b\r",
    "mixed ends": "a = 1\r\nb = 2\nc = 3\rd = 4\n\re = 5",
    "BOM": "\ufeffimport os\n\ufeffx = os.name\n",
    "U+2028": "s = 'a\u2028b'\u2028t = s\u0085u = t\x0bv = u\x0cw = v\n",
    "tabs": "\tif a:\n\t\tb\t=\t1\n \t c = b\t\n",
    "very long line": "values = [" + ", ".join(f"'item{i}é🚀'" for i in range(400)) + "]\n",
    "no end": "x = y",
    "wide": "変数 = '漢字'\nprint(変数)\n",
    "right to left": "שם = 'ערך'\nprint(שם)\n",
    "special subwords": "s = '<s></s><pad><mask>'\nt = s\n",
    "NUL and controls": "a = '\x00\x01\x7f'\nb = a\n",
}
BLANK = {"empty": "", "whitespace alone": " \t \n\r\n  \r", "line ends alone": "\n\r\n\r\n", "BOM alone": "\ufeff"}
