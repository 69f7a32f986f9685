"""Sentences in a dozen languages, put together from a few pieces each; Chinese, Japanese and Thai have no blanks."""

import random

# Beginnings, middles and ends that fit each other.
_PIECES: dict[str, tuple[str, str, str]] = {
    "English": (
        "The committee|Our neighbour|A small bakery in the harbour|The new timetable|Nobody in the village|Her report",
        " announced on Monday| had never heard| explained in detail| forgot to mention| was pleased to learn",
        " that the bridge would be closed until spring.| how the password of the library card is changed.| why tokens of appreciation matter.| that the secret of good bread is time.| when the keys of the museum were found.",
    ),
    "German": (
        "Die Bürgermeisterin|Unser Schlüsseldienst|Der Donaudampfschifffahrtskapitän|Eine Rechtsschutzversicherungsgesellschaft|Das Geheimnis der alten Mühle|Niemand",
        " erklärte gestern,| wusste nicht,| hat uns geschrieben,| zeigt deutlich,| verstand sofort,",
        " dass die Brücke bis zum Frühjahr gesperrt bleibt.| warum das Passwort vergessen wurde.| wie man Äpfel übers Jahr lagert.| dass die Straßenbeleuchtungsanlage erneuert wird.",
    ),
    "French": (
        "La boulangère du quartier|Le conseil municipal|Notre voisine|Un vieux pêcheur|Personne|L’horloger",
        " a expliqué hier| ne savait pas| nous a écrit| répète souvent| découvrit enfin",
        " que le mot de passe doit être changé.| pourquoi le pont est fermé jusqu’au printemps.| où se trouve la clé du musée.| que l’été sera long.",
    ),
    "Spanish": (
        "El ayuntamiento|La vecina de arriba|Un pequeño restaurante del puerto|Nadie|El nuevo horario|Mi abuela",
        " anunció el lunes| no recordaba| explicó con calma| nos contó| preguntó ayer",
        " que el puente estará cerrado.| cómo se cambia la contraseña.| dónde están las llaves del museo.| por qué el niño llegó mañana.",
    ),
    "Portuguese": (
        "A câmara municipal|O vizinho do lado|Uma padaria pequena|Ninguém|O novo horário",
        " anunciou ontem| não sabia| explicou devagar| contou-nos",
        " que a ponte fica fechada até à primavera.| como se altera a senha.| onde estão as chaves do museu.| porque a reunião não começou.",
    ),
    "Italian": (
        "Il consiglio comunale|La vicina di casa|Un piccolo forno del porto|Nessuno|Il nuovo orario",
        " ha annunciato ieri| non sapeva| spiegò con calma| ci ha scritto",
        " che il ponte resterà chiuso.| come si cambia la parola d’ordine.| dove sono le chiavi del museo.| perché la città è così tranquilla.",
    ),
    "Russian": (
        "Городской совет|Наша соседка|Маленькая пекарня у порта|Никто|Новое расписание",
        " вчера сообщил,| не знал,| подробно объяснил,| написал нам,",
        " что мост закрыт до весны.| как меняется пароль.| где лежат ключи от музея.| почему собрание не началось.",
    ),
    "Polish": (
        "Rada miasta|Nasza sąsiadka|Mała piekarnia w porcie|Nikt|Nowy rozkład jazdy",
        " ogłosiła wczoraj,| nie wiedziała,| wyjaśniła spokojnie,| napisała do nas,",
        " że most będzie zamknięty.| jak zmienia się hasło.| gdzie są klucze do muzeum.| dlaczego źdźbło trawy drży.",
    ),
    "Turkish": (
        "Belediye meclisi|Üst kattaki komşumuz|Limandaki küçük fırın|Hiç kimse|Yeni tarife",
        " dün açıkladı ki| bilmiyordu ki| sakince anlattı ki| bize yazdı ki",
        " köprü ilkbahara kadar kapalı.| şifre böyle değiştirilir.| müzenin anahtarları bulundu.| toplantı başlamadı.",
    ),
    "Chinese": (
        "市议会|我们的邻居|港口的小面包店|新的时刻表|村里没有人|图书馆的密码",
        "昨天宣布|并不知道|详细解释了|写信告诉我们|终于发现",
        "大桥将关闭到春天。|怎样修改密码。|博物馆的钥匙在哪里。|会议为什么没有开始。|秘密在于时间和耐心。",
    ),
    "Japanese": (
        "市議会は|隣の人は|港の小さなパン屋は|新しい時刻表は|村の誰もが|パスワードの変更方法は",
        "昨日発表した内容によると|知らなかったようだが|詳しく説明したところ|手紙に書いたとおり",
        "橋は春まで閉鎖されます。|美術館の鍵が見つかりました。|会議はまだ始まっていません。|秘密は時間です。",
    ),
    "Korean": (
        "시의회는|우리 이웃은|항구의 작은 빵집은|새로운 시간표는|마을 사람 누구도",
        " 어제 발표한 대로| 알지 못했지만| 자세히 설명했듯이| 편지에 썼듯이",
        " 다리는 봄까지 닫힙니다.| 비밀번호를 바꾸는 방법을 찾았습니다.| 박물관 열쇠를 발견했습니다.| 회의가 시작되지 않았습니다.",
    ),
    "Thai": (
        "สภาเมือง|เพื่อนบ้านของเรา|ร้านขนมปังเล็กๆที่ท่าเรือ|ตารางเวลาใหม่|ไม่มีใครในหมู่บ้าน",
        "ประกาศเมื่อวานว่า|ไม่รู้ว่า|อธิบายอย่างละเอียดว่า|เขียนถึงเราว่า",
        "สะพานจะปิดจนถึงฤดูใบไม้ผลิ|วิธีเปลี่ยนรหัสผ่านคืออะไร|กุญแจพิพิธภัณฑ์อยู่ที่ไหน|การประชุมยังไม่เริ่ม",
    ),
    "Arabic": (
        "مجلس المدينة|جارتنا|المخبز الصغير في الميناء|لا أحد|الجدول الجديد",
        " أعلن أمس| لم يكن يعرف| شرح بهدوء| كتب إلينا",
        " أن الجسر مغلق حتى الربيع.| كيف تتغير كلمة المرور.| أين مفاتيح المتحف.| لماذا لم يبدأ الاجتماع.",
    ),
    "Hindi": (
        "नगर परिषद ने|हमारे पड़ोसी ने|बंदरगाह की छोटी बेकरी ने|गाँव में किसी ने",
        " कल बताया कि| विस्तार से समझाया कि| हमें लिखा कि",
        " पुल वसंत तक बंद रहेगा।| पासवर्ड कैसे बदलें।| संग्रहालय की चाबियाँ मिल गईं।",
    ),
}
LANGUAGES = tuple(_PIECES)


def sentence(language: str, rng: random.Random) -> str:
    """Return a sentence in this language; some have a number, a quotation or a second one behind them."""
    found = "".join(rng.choice(pieces.split("|")) for pieces in _PIECES[language])
    if rng.random() < 0.6:
        found += rng.choice(
            [f" ({rng.randint(1, 9999)})", f" “{rng.randint(2, 99)} %”", f" – {rng.randint(1000, 2027)}."]
        )
    return found
