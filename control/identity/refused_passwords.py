"""Passwords that are tried first by whoever guesses, in lower case; digits and signs behind them change nothing."""

from typing import Final

WORDS: Final = """
    0123456789 01234567890 0987654321 09876543210 1029384756 1111111111 1122334455 11223344556677 1212121212 123123123123
    1231231234 123321123321 1234512345 1234567890 12345678900 12345678901 123456789012 1234567890123 1234567891 12345678910
    1234567899 123456789a 123456789q 123456789z 12345qwert 12345qwerty 123qweasdzxc 147258369 1472583690 159357159357
    159753456 1a2b3c4d5e 1q2w3e4r5t 1q2w3e4r5t6y 1q2w3e4r5t6y7u 1qaz2wsx3edc 1qaz2wsx3edc4rfv 1qazxsw23edc 2wsx3edc4rfv
    3rjs1la7qe 741852963 789456123 7894561230 987654321 9876543210 98765432100 aa12345678 aaaaaaaaaa abc123 abc123456 abcd1234
    abcd123456 abcd12345678 abcdefghij abcdefghijk abcdefghijklmnopqrstuvwxyz access accessdenied account admin adminadmin
    adminadminadmin administrator administrator1 alexander alexandria anthony apple asdasdasdasd asdf asdfasdf asdfasdfasdf
    asdfgh asdfghjk asdfghjkl asdfghjkl; asdfghjklqwertyuiop azertyuiop babygirl backspace barcelona baseball basketball
    basketball1 batman beautiful benjamin biteme blink182 boomboom bubbles butterfly butterfly1 california changeit changeme
    changemenow changethis charlie cheese cheesecake chelsea chicken chocolate chocolate1 christian christina christopher
    cocacola computer computer1 connect control correcthorsebatterystaple corvette cowboys crystal dallas database default
    defaultpassword demo demodemo deployment developer diamond dolphin dolphins donaldduck dragon dragonball dragonfly
    elephant elizabeth eminem england facebook facebook1 family ferrari flower football football1 forever fortnite freedom
    friend friends fuckyou fuckyoufuckyou garfield gateway georgia ginger goldfish goodluck google googlegoogle guitar
    hallohallo hannah happy happybirthday harley headrace headraceheadrace heaven hello hellohello hellokitty helloworld
    helpme hockey homer hottie hunter illovemyself iloveyou iloveyou2 iloveyouforever iloveyousomuch inference internet
    internet1 ironman isabella jackson jasmine jennifer jessica jesus jesuschrist jesusislord jesuslovesme johnson jonathan
    jordan joshua justin killer kubernetes leonardo letmein letmein! letmein123 letmeinletmein letmeinnow letmeinplease
    liverpool login lovelove lovelovelove loveme loveyou machinelearning madison maggie manchester manchesterunited master
    mastermind matrix matthew maverick melissa mercedes metallica michael michelle mickey mickeymouse midnight monkey
    monkeymonkey mustang mypassword mypasswordis myspace naruto nathan newpassword newyork nicholas nicole ninja nintendo
    nothing october official onelove opensesame p@$$w0rd p@ssw0rd p@ssword pa$$w0rd passpass passpasspass passphrase passw0rd
    password passwordis passwordpassword passwort passwortpasswort peanut pepper pokemon pokemonpokemon portugal postgres
    princess princess1 private purple pussycat q1w2e3r4t5 q1w2e3r4t5y6 qazwsx qazwsxedc qazwsxedcrfv qazwsxedcrfvtgb qqww1122
    qwaszx qwe123qwe123 qweasdzxc qweqweqwe qweqweqweqwe qwer1234 qwert12345 qwerty qwerty123 qwerty12345 qwerty123456
    qwertyqwerty qwertyu qwertyui qwertyuiop qwertyuiop[] qwertyuiopasdfghjkl qwertz qwertzuiop qwertzuiopü rainbow ranger
    realmadrid rockstar rockyou root rootroot rootrootroot samantha samsung sebastian secret secretsecret security service
    shadow shopping silver simple slipknot snowball snowman soccer softball sophie spiderman spongebob squirrel starwars
    stephanie summer summertime sunflower sunshine superman superstar sweetheart swordfish system teddybear temporary
    temppassword test tester testing testpassword testtest testtesttest thebeatles thomas thunder tigger tinkerbell tinkle
    trustno1 trustnoone unknown user username valentina vanessa vegeta victoria volleyball welcome welcomehome welcomewelcome
    whatever william windows winter wonderful yankees yellow youandme yourmom zaq12wsx zaq12wsxcde3 zaqxswcde zxcvbn zxcvbnm
    zxcvbnm,./ zxcvbnmasdfghjkl zzzzzzzzzz
"""
REFUSED: Final = frozenset(WORDS.split())
