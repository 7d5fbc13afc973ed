"""Which file extensions Windows, macOS or Linux run when a person opens the file."""

from __future__ import annotations

EXECUTABLE = frozenset(
    {
        # Programs and libraries
        *(
            "exe",
            "com",
            "scr",
            "pif",
            "dll",
            "cpl",
            "ocx",
            "sys",
            "drv",
            "xll",
            "wll",
            "ax",
            "efi",
            "elf",
            "bin",
            "run",
        ),
        # Installers and packages
        *("msi", "msp", "mst", "msix", "msixbundle", "appx", "appxbundle", "application", "appref-ms", "deb", "rpm"),
        *("pkg", "mpkg", "apk", "ipa", "jar", "jnlp", "air", "crx", "xpi", "gadget", "class", "app", "command"),
        # Files that start something when opened
        *("lnk", "chm", "hlp", "scf", "shs", "shb", "msc", "settingcontent-ms", "library-ms", "search-ms"),
        *("searchconnector-ms", "theme", "themepack", "diagcab", "appcontent-ms", "website", "rdp", "ppkg"),
    }
)
"""Extensions of programs, and of files that start one."""

SCRIPT = frozenset(
    {
        *("js", "jse", "mjs", "vbs", "vbe", "vb", "ws", "wsf", "wsh", "wsc", "sct", "hta", "htc", "bat", "cmd", "btm"),
        *("ps1", "ps1xml", "ps2", "ps2xml", "psc1", "psc2", "psm1", "psd1", "msh", "msh1", "msh2", "mshxml"),
        *("reg", "inf", "ins", "isp", "url", "iqy", "slk", "job", "py", "pyc", "pyw", "pyz", "pyzw", "rb", "pl", "php"),
        *("sh", "bash", "zsh", "csh", "ksh", "fish", "tcl", "lua", "ahk", "au3", "applescript", "scpt", "osascript"),
    }
)
"""Extensions of texts that an interpreter runs."""

ARCHIVE = frozenset(
    {
        *(
            "zip",
            "zipx",
            "7z",
            "rar",
            "r00",
            "gz",
            "tgz",
            "bz2",
            "tbz2",
            "xz",
            "txz",
            "zst",
            "tar",
            "cab",
            "iso",
            "img",
        ),
        *(
            "arj",
            "lzh",
            "lha",
            "ace",
            "vhd",
            "vhdx",
            "vmdk",
            "wim",
            "dmg",
            "z",
            "lz",
            "uue",
            "xxe",
            "cpio",
            "alz",
            "egg",
        ),
    }
)
"""Extensions of files that hold other files."""

INNER = frozenset(
    {
        *("pdf", "doc", "docx", "docm", "xls", "xlsx", "xlsm", "ppt", "pptx", "rtf", "odt", "ods", "odp", "txt", "csv"),
        *("jpg", "jpeg", "png", "gif", "bmp", "tif", "tiff", "webp", "mp3", "mp4", "avi", "mov", "wav", "htm", "html"),
        *("eml", "msg", "xml", "zip", "rar", "7z"),
    }
)
"""Extensions of documents, which stand before the true one to mislead: report.pdf.exe."""
