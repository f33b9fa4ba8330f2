"""Every way a command can fail, as one clear Chinese sentence and an exit code."""

from __future__ import annotations

from cli.output import errors, printable

EXIT_USAGE = 2
EXIT_STORAGE = 5
EXIT_UNFORESEEN = 1


def explain(error: Exception) -> int:
    """Print what went wrong and how to mend it; returns the exit code."""
    from config.problem import ConfigurationError
    from inspection.errors import InspectionError
    from reports.wacz import WaczUnwritable
    from storage.errors import StorageError

    match error:
        case ConfigurationError():
            for problem in error.problems:
                errors.print(printable(problem))
            errors.print(
                f"配置有 {len(error.problems)} 处错误，什么也没有做；改好后可用 inspect config check 再查一遍。"
            )
            return EXIT_USAGE
        case StorageError() | WaczUnwritable():
            errors.print(printable(error))
            return EXIT_STORAGE
        case OSError():
            where = f" {error.filename}" if error.filename else ""
            errors.print(printable(f"读写文件失败{where}：{error.strerror or error}。请检查路径、权限和磁盘空间。"))
            return EXIT_STORAGE
        case InspectionError():
            errors.print(printable(error))
            return error.exit_code
        case _:
            errors.print(
                printable(f"出现未预料的错误（{type(error).__name__}）：{error}。加 --debug 重新运行可看到详情。")
            )
            return EXIT_UNFORESEEN
