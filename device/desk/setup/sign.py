"""The sign for everybody who passes by: that there is a camera, what for, how far it sees, what is kept, whom to ask.

Rules kept here:
- It is made from the running configuration, and says nothing that does not follow from that or from the rules of the
  project. What cannot be known (whether the lamp hangs on the camera's own supply) is not claimed.
- The range errs on the far side: it is that of the people whose eyes stand farthest apart.
- Where lights tell a live face from a photograph it says that they blink, what they do not stop, and what was tried at
  this door, with the bound beside each count (`device.tried`). What was tried with other parts or settings is not told.
- Residents are told of their page where it has an address that can be told; at a simulated door it has none.
- The page needs nothing from elsewhere: no script, no font, no picture. It prints on one sheet.

Range: eyes that stand `EYES_M` apart are min_eye_distance_px apart in the picture at EYES_M x f / min_eye_distance_px,
where f = (width_px / 2) / tan(view / 2) is the focal length in pixels (a pinhole camera). Adults' eyes stand 45 to
80 mm apart (N. Dodgson, Variation and extrema of human interpupillary distance, Proc. SPIE 5291, 2004).

Pure.
"""

from __future__ import annotations

import html
import math

from device import config as door_config
from device.config.tables import Config
from device.tried import ATTACKS, Instrument, Tryout, percent, upper_bound

EYES_M = 0.080
_ROUNDING = 1e-6  # what is a tenth of a metre but for the last digits of a float is that tenth


_LIGHTS_EN = (
    "Lights: while somebody looks, two small white lights change, to tell a face from its photograph.",
    "Where they tell nothing, the door may ask somebody once to turn to the brighter light: that alone opens nothing.",
    "They are weak and change at most three times a second. Who does not want them uses PIN or card.",
)
_LIMITS_EN = (
    "The lights do not stop a mask in the shape of a face, a twin, somebody who controls camera and lights at that "
    "very moment, or force."
)
_LIGHTS_ZH = (
    "灯光：有人看镜头时，两盏小白灯会变化，用来区分真人和照片。",
    "灯光看不出结果时，门可能请人把脸转向较亮的灯，只请一次；这本身不开门。",
    "灯光微弱，每秒最多变化三次。不想要灯光的人可用密码或门卡。",
)
_LIMITS_ZH = "灯光挡不住：按脸形制作的面具、双胞胎、当时同时控制摄像头和灯光的人，以及暴力胁迫。"


def range_m(config: Config) -> float:
    """How far from the camera a face may at most be found, rounded up to a tenth of a metre."""
    focal_px = config.camera.width_px / 2 / math.tan(math.radians(config.sign.view_deg) / 2)
    return math.ceil(EYES_M * focal_px / config.eye.min_eye_distance_px * 10 - _ROUNDING) / 10


def text(config: Config, tryout: Tryout | None = None) -> str:
    """The sign as text, in both languages. `tryout`: what was tried at this door, if anything."""
    return "\n\n".join("\n".join(lines) for lines in _signs(config, tryout))


def page(config: Config, tryout: Tryout | None = None) -> str:
    """The sign as one page of HTML to be printed. `tryout`: what was tried at this door, if anything."""
    parts, signs = [], _signs(config, tryout)
    for language, (title, *lines) in zip(("en", "zh"), signs, strict=True):
        body = "".join(f"<p>{html.escape(line)}</p>\n" for line in lines)
        parts.append(f'<section lang="{language}">\n<h1>{html.escape(title)}</h1>\n{body}</section>\n')
    style = (
        "@page { size: A4; margin: 2cm } body { font: 18pt/1.4 sans-serif; color: #000; background: #fff } "
        "h1 { font-size: 30pt; margin: 0 0 12pt } section { break-inside: avoid; margin: 0 0 24pt } "
        "p { margin: 0 0 8pt; overflow-wrap: anywhere }"
    )
    head = f'<meta charset="utf-8">\n<title>{html.escape(signs[0][0])}</title>\n<style>{style}</style>'
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{"".join(parts)}</body>\n</html>\n'


def _signs(config: Config, tryout: Tryout | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    contact = config.sign.contact.strip()
    if config.camera.backend == "none":
        return (
            (
                "This door has no camera",
                "It opens by PIN, code or card. Nobody is recognised here.",
                *_page_english(config),
                f"Questions: {contact}",
            ),
            (
                "这扇门没有摄像头",
                "用密码、临时码或门卡开门。这里不识别任何人。",
                *_page_chinese(config),
                f"咨询：{contact}",
            ),
        )
    lit = config.lock.lights
    here = tryout if tryout and tryout.facts == door_config.tried_facts(config) else None
    english = (*_LIGHTS_EN, _tried_english(here), _LIMITS_EN) if lit else ()
    chinese = (*_LIGHTS_ZH, _tried_chinese(here), _LIMITS_ZH) if lit else ()
    return (_english(config, contact, english), _chinese(config, contact, chinese))


def _tried_english(tryout: Tryout | None) -> str:
    if tryout is None:
        return "Nobody has held up attacks to this door as it is now, to see what it does."
    told = [
        f"a {each} was taken for a live face in {errors} of {tries} tries (with 95 % confidence at most {bound} in 100)"
        for each, errors, tries, bound in _rates(tryout)
    ]
    *attacks, live = told
    live = live.replace("a live was taken for a live face", "a live face was not taken for one")
    where = "At this door, which is a simulated one" if tryout.simulated else "At this door"
    return f"{where}, on {tryout.date}: {'; '.join((*attacks, live))}."


def _tried_chinese(tryout: Tryout | None) -> str:
    if tryout is None:
        return "还没有人用照片或屏幕试过这扇门现在的状态。"
    words = {
        Instrument.PRINT: "打印照片被当作真人",
        Instrument.SCREEN: "屏幕被当作真人",
        Instrument.LIVE: "真人未被当作真人",
    }
    told = [
        f"{words[each]}：{tries} 次中 {errors} 次，95 % 置信上限 {bound} %"
        for each, errors, tries, bound in _rates(tryout)
    ]
    return f"{'模拟门，' if tryout.simulated else ''}{tryout.date} 在这扇门上试验：{'；'.join(told)}。"


def _rates(tryout: Tryout) -> list[tuple[Instrument, int, int, int]]:
    """For each instrument: errors, tries, and the bound of their rate in percent; attacks first."""
    found = []
    for each in (*ATTACKS, Instrument.LIVE):
        count = tryout.counts[each]
        errors = count.tries - count.as_live if each is Instrument.LIVE else count.as_live
        found.append((each, errors, count.tries, percent(upper_bound(errors, count.tries))))
    return found


def _page_url(config: Config) -> str:
    return "" if config.lock.board == "sim" else config.page.url


def _page_english(config: Config) -> tuple[str, ...]:
    where = _page_url(config)
    first = "" if config.page.always else "type 012 # at the keypad, then "
    told = f"Residents' page: {first}open {where} on this house's network. Nobody needs it."
    return (told,) if where else ()


def _page_chinese(config: Config) -> tuple[str, ...]:
    where = _page_url(config)
    first = "" if config.page.always else "先在键盘上输入 012 #，再"
    told = f"住户页面：{first}在本楼网络中打开 {where} 。不用也可以。"
    return (told,) if where else ()


def _english(config: Config, contact: str, alive: tuple[str, ...]) -> tuple[str, ...]:
    pin = " The PIN is asked for as well." if config.lock.tier == "face+pin" else ""
    return (
        "There is a camera at this door",
        f"What for: to open this door for residents who chose to be recognised.{pin}",
        "Nobody has to be recognised: a PIN or a card opens the same door at the same hours.",
        f"When: only after somebody presses the face button, for at most {config.lock.window_s:g} seconds.",
        "The lamp is lit meanwhile.",
        f"How far: about {range_m(config):g} metres at most. Nothing is computed from faces farther away.",
        "What is kept: of people who pass by, nothing. No picture is kept or sent.",
        "What residents agreed to is kept in this door alone, until they erase it or their place here ends.",
        *alive,
        *_page_english(config),
        f"Questions: {contact}",
    )


def _chinese(config: Config, contact: str, alive: tuple[str, ...]) -> tuple[str, ...]:
    pin = "仍需输入密码。" if config.lock.tier == "face+pin" else ""
    return (
        "这扇门有摄像头",
        f"用途：为自愿登记人脸的住户开门。{pin}人脸不是必需的：密码或门卡在同样的时间打开同一扇门。",
        f"何时：只有按下人脸按钮后才工作，最多 {config.lock.window_s:g} 秒，其间指示灯亮起。",
        f"范围：最远约 {range_m(config):g} 米。更远的人脸会被丢弃，不做任何计算。",
        "保存：路过的人不留下任何信息。不保存、不发送任何画面。住户同意保存的内容只存在这扇门里，直到本人删除或名额到期。",
        *alive,
        *_page_chinese(config),
        f"咨询：{contact}",
    )
